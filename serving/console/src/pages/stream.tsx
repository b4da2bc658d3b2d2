import {useState} from 'preact/hooks';
import type {LiveState} from '../api/live';
import type {LiveEvent} from '../api/types';
import {useWatching} from '../context';
import {kNone, number, seconds, timeOfDay, words} from '../format';
import {kSeconds, type Heard} from '../live_feed';
import {linkTo} from '../router';
import type {Sample} from '../sampler';
import {useStore} from '../store';
import {Chart, type Series} from '../ui/chart';
import {Figure, Figures, Panel} from '../ui/panel';
import {Empty} from '../ui/states';
import {Table} from '../ui/table';
import {DeadLettersPanel} from './dead_letters';

const kTypes = 6;  // that have a line of their own
const kRows = 12;  // of the newest events
const kStates: Record<LiveState, string> = {
  off: 'not listening', connecting: 'connecting…', listening: 'live', lost: 'connection lost, trying again'};

/** A line a type, the most frequent first, and one for all others. */
function linesOf(heard: Heard[], times: number[]): Series[] {
  const totals = new Map<string, number>();
  const at = new Map(heard.map(({second, byType}) => [second, byType]));
  for (const {byType} of heard) {
    for (const [type, count] of Object.entries(byType)) totals.set(type, (totals.get(type) ?? 0) + count);
  }
  const types = [...totals].sort(([, a], [, b]) => b - a).map(([type]) => type);
  const own = types.slice(0, kTypes);
  const count = (second: number, which: string[]): number =>
    which.reduce((sum, type) => sum + (at.get(second)?.[type] ?? 0), 0);
  const line = (label: string, which: string[]): Series => ({label, values: times.map((time) => count(time, which))});
  const lines = own.map((type) => line(words(type), [type]));
  return types.length > kTypes ? [...lines, line('others', types.slice(kTypes))] : lines;
}

/** The last five minutes up to the last whole second, whether something was sampled in each or not. */
function timesOf(samples: Sample[]): number[] {
  const last = Math.floor(Date.now() / 1000) - 1;
  const first = Math.max(last - kSeconds + 1, samples[0]?.second ?? last - 60);
  return Array.from({length: Math.max(last - first + 1, 1)}, (_, i) => first + i);
}

function Rates({samples}: {samples: Sample[]}) {
  const {feed, role} = useWatching();
  const times = timesOf(samples);
  const applied: Series = {label: 'applied', values: samples.map((sample) => sample.applied)};
  const byType = linesOf(feed.heard, times);
  return (
    <Panel title="Events per second" note={role.listens ? 'by type, as they are applied' : 'all types'} class="wide">
      {byType.length > 0
        ? <Chart label="Events per second by type" seconds={times} series={byType} format={number} />
        : <Chart label="Events per second" seconds={samples.map(({second}) => second)} series={[applied]} format={number} />}
    </Panel>
  );
}

function Health({samples}: {samples: Sample[]}) {
  const {feed, sampler} = useWatching();
  const silent = useStore(sampler.silent);
  const missed = useStore(feed.missed);
  const now = samples[samples.length - 1];
  return (
    <Figures>
      <Figure label="Applied" value={now ? `${number(now.applied)}/s` : kNone} note="events" />
      <Figure label="Lag" value={number(now?.lag)} note="records not visible yet" tone={(now?.lag ?? 0) > 1000 ? 'warn' : undefined} />
      <Figure label="Freshness" value={seconds(now?.freshMost)} note="append to visible, 99 of 100" />
      <Figure label="Failures" value={now ? `${number(now.failures)}/s` : kNone} note="answers of 5xx"
        tone={(now?.failures ?? 0) > 0 ? 'bad' : undefined} />
      <Figure label="Dead letters" value={number(now?.deadLetters)} note="since the start"
        tone={(now?.deadLetters ?? 0) > 0 ? 'warn' : undefined} />
      <Figure label="Server" value={silent ? 'silent' : 'answers'} tone={silent ? 'bad' : 'good'}
        note={missed > 0 ? `${number(missed)} events not shown here` : undefined} />
    </Figures>
  );
}

function Newest() {
  const {feed} = useWatching();
  const state = useStore(feed.state);
  const newest = useStore(feed.newest);
  const [held, setHeld] = useState<LiveEvent[] | null>(null);
  const rows = (held ?? newest).slice(0, kRows);
  return (
    <Panel title="Newest events" note={kStates[state]} class="wide" actions={
      <button type="button" aria-pressed={held !== null} onClick={() => setHeld(held ? null : newest)}>
        {held ? 'Go on' : 'Hold'}
      </button>}>
      {rows.length === 0
        ? <Empty title="Nothing yet">
            Post an event to <code>/v1/events</code>, or run <code>millrace simulate --existing</code>: it shows here
            as soon as it counts.
          </Empty>
        : <Table caption="Newest events" rows={rows} keyOf={({position}) => position} columns={[
            {head: 'Time', cell: ({time}) => timeOfDay(time)},
            {head: 'Type', cell: ({type}) => <span class="chip">{words(type)}</span>},
            {head: 'Person', cell: ({user}) => <a href={linkTo('person', user)}>{user}</a>},
            {head: 'Item', cell: ({item}) => <a href={linkTo('item', item)}>{item}</a>},
            {head: 'Value', numeric: true, cell: ({value}) => value === undefined ? '' : number(value)},
            {head: 'Position', cell: ({position}) => <code>{position}</code>},
          ]} />}
    </Panel>
  );
}

export function StreamPage() {
  const {sampler, role} = useWatching();
  const samples = useStore(sampler.samples);
  const times = samples.map(({second}) => second);
  return (
    <>
      <Health samples={samples} />
      <div class="grid">
        <Rates samples={samples} />
        {role.listens && <Newest />}
        <Panel title="Freshness" note="from append to visible">
          <Chart label="Freshness" seconds={times} format={seconds} series={[
            {label: 'half of them', values: samples.map(({freshHalf}) => freshHalf)},
            {label: '99 of 100', values: samples.map(({freshMost}) => freshMost)},
          ]} />
        </Panel>
        <Panel title="Lag" note="records in the log that readers do not see yet">
          <Chart label="Lag" seconds={times} format={number} series={[
            {label: 'records', values: samples.map(({lag}) => lag)}]} />
        </Panel>
        {role.admin && <DeadLettersPanel />}
      </div>
    </>
  );
}
