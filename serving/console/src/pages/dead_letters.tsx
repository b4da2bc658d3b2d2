import {useState} from 'preact/hooks';
import {useApi, usePolled} from '../api/poll';
import type {DeadLetter, DeadLetters, Replayed} from '../api/types';
import {dateTime} from '../format';
import {linkTo} from '../router';
import {Action} from '../ui/action';
import {Panel} from '../ui/panel';
import {Empty, Loaded} from '../ui/states';
import {Table} from '../ui/table';

const placeOf = ({partition, offset}: DeadLetter): string => `${partition}:${offset}`;

function saidOf({replayed, skipped}: Replayed): string {
  return `${replayed} appended again` + (skipped > 0 ? `, ${skipped} are no events` : '');
}

function Letter({letter, close}: {letter: DeadLetter; close: () => void}) {
  return (
    <div class="letter">
      <h3>{placeOf(letter)}: {letter.reason}</h3>
      <pre tabIndex={0} aria-label="The record">
        {letter.event ? JSON.stringify(letter.event, null, 2) : `Not an event. The stored bytes, in base64:\n${letter.record}`}
      </pre>
      <button type="button" onClick={close}>Close</button>
    </div>
  );
}

/** Records that could not be applied, to look into and to try again. */
export function DeadLettersPanel() {
  const api = useApi();
  const letters = usePolled<DeadLetters>('/v1/admin/dead-letters?limit=50');
  const [open, setOpen] = useState<DeadLetter | null>(null);
  const replay = async (which?: DeadLetter): Promise<string> => {
    const body = which ? {partition: which.partition, offset: which.offset} : {};
    return saidOf(await api.post<Replayed>('/v1/admin/dead-letters/replay', body));
  };
  const some = (letters.data?.items.length ?? 0) > 0;
  return (
    <Panel title="Dead letters" note="records that could not be applied" class="wide"
      actions={some && <Action run={() => replay()}>Replay all</Action>}>
      <Loaded from={letters}>{({items}) => items.length === 0
        ? <Empty title="None">Every record could be applied.</Empty>
        : <Table caption="Dead letters" rows={items} keyOf={placeOf} columns={[
            {head: 'Place', cell: (letter) => <code>{placeOf(letter)}</code>},
            {head: 'Time', cell: ({time}) => dateTime(time)},
            {head: 'Reason', cell: ({reason}) => reason},
            {head: 'Person', cell: ({user}) => user ? <a href={linkTo('person', user)}>{user}</a> : ''},
            {head: 'Record', cell: (letter) =>
              <button type="button" aria-label={`Look into ${placeOf(letter)}`} onClick={() => setOpen(letter)}>Look</button>},
            {head: 'Again', cell: (letter) =>
              <Action label={`Replay ${placeOf(letter)}`} run={() => replay(letter)}>Replay</Action>},
          ]} />}
      </Loaded>
      {open && <Letter letter={open} close={() => setOpen(null)} />}
    </Panel>
  );
}
