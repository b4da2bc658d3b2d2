import {useEffect} from 'preact/hooks';
import {usePolled, type Polled} from '../api/poll';
import type {RankedItem, Recommendations} from '../api/types';
import {useWatching} from '../context';
import {words} from '../format';
import {goTo} from '../router';
import {useStore} from '../store';
import {Parts, widest, type Titles} from '../ui/bars';
import {ItemCard} from '../ui/item_card';
import {Panel} from '../ui/panel';
import {Empty, Loaded} from '../ui/states';

declare const ALGORITHMS: string[];  // those of the contract, put in when this is built

const kShown = 10;
const kLeft = 'feed';
const kRight = 'collaborative';

interface SideProps {
  answer: Polled<Recommendations>;
  algorithm: string;
  titles: Titles;
  label: string;
  beside: RankedItem[];
  choose: (algorithm: string) => void;
}

/** Asked for again when the person does something, and no oftener: an answer counts as having been shown to them. */
function useRanked(user: string, algorithm: string): Polled<Recommendations> {
  const newest = useStore(useWatching().feed.newest);
  const last = newest.find((event) => event.user === user)?.position;
  const path = `/v1/recommendations/${encodeURIComponent(user)}?algorithm=${algorithm}&limit=${kShown}&explain=true`;
  const answer = usePolled<Recommendations>(path, Infinity);
  useEffect(() => {
    if (last !== undefined) answer.again();
  }, [last]);
  return answer;
}

/** Where the item is in the list beside this one. */
function besides(item: RankedItem, beside: RankedItem[]): string {
  const place = beside.findIndex(({id}) => id === item.id);
  return place < 0 ? item.id : `${item.id} · number ${place + 1} beside`;
}

function Choice({label, chosen, choose}: {label: string; chosen: string; choose: (algorithm: string) => void}) {
  return (
    <select aria-label={label} value={chosen} onChange={({currentTarget}) => choose(currentTarget.value)}>
      {ALGORITHMS.map((name) => <option key={name} value={name}>{words(name)}</option>)}
    </select>
  );
}

function Side({answer, algorithm, titles, label, beside, choose}: SideProps) {
  return (
    <Panel title={label} note={answer.data && `${answer.data.level} · ranked by ${words(answer.data.algorithm)}`}
      actions={<Choice label={`Algorithm of ${label.toLowerCase()}`} chosen={algorithm} choose={choose} />}>
      <Loaded from={answer} lines={10}>{({items}) => items.length === 0
        ? <Empty title="Nothing to recommend">Are there items? <code>PUT /v1/items/…</code> or <code>millrace import</code> brings some.</Empty>
        : <ol class="cards" aria-label={label}>
            {items.map((item, i) => (
              <ItemCard key={item.id} item={item} rank={i + 1} note={besides(item, beside)}>
                {item.parts && <Parts parts={item.parts} most={widest(items)} titles={titles} />}
              </ItemCard>
            ))}
          </ol>}
      </Loaded>
    </Panel>
  );
}

/** What is recommended to a person, by two algorithms side by side, each item with the parts of its score. */
export function Feeds({user, query, titles}: {user: string; query: URLSearchParams; titles: Titles}) {
  const left = query.get('by') ?? kLeft;
  const right = query.get('with') ?? kRight;
  const here = useRanked(user, left);
  const beside = useRanked(user, right);
  return (
    <div class="grid">
      <Side answer={here} algorithm={left} label="Feed" titles={titles} beside={beside.data?.items ?? []}
        choose={(by) => goTo('person', user, {by, with: right})} />
      <Side answer={beside} algorithm={right} label="Side by side" titles={titles} beside={here.data?.items ?? []}
        choose={(other) => goTo('person', user, {by: left, with: other})} />
    </div>
  );
}
