import {usePolled} from '../api/poll';
import type {Metrics} from '../api/metrics';
import type {Cluster, ClusterNode, Move, Status} from '../api/types';
import {useWatching} from '../context';
import {bytes, dateTime, kNone, number, percent, seconds, words} from '../format';
import {useStore} from '../store';
import {Bars, Meter} from '../ui/bars';
import {Figure, Figures, Panel} from '../ui/panel';
import {Loaded, Skeleton} from '../ui/states';
import {Table} from '../ui/table';

function moveOf({state, bytes: done, of_bytes, lag}: Move): string {
  if (of_bytes) return `${words(state)}, ${percent((done ?? 0) / of_bytes)} of ${bytes(of_bytes)}`;
  return lag === undefined ? words(state) : `${words(state)}, ${number(lag)} records to go`;
}

function Nodes({cluster}: {cluster: Cluster}) {
  const moving = new Map(cluster.moving.map((move) => [move.node, move]));
  const stateOf = ({id, state}: ClusterNode): string => {
    const move = moving.get(id);
    return move ? moveOf(move) : state;
  };
  return (
    <Table caption="Nodes" rows={cluster.nodes} keyOf={({id}) => id} columns={[
      {head: 'Node', cell: ({id, self}) => <><b>{id}</b>{self && ' (this one)'}</>},
      {head: 'State', cell: (node) => <span class={`chip ${node.state === 'ready' ? 'running' : 'waiting'}`}>{stateOf(node)}</span>},
      {head: 'Partitions', cell: ({partitions}) => `${partitions.length}, all applied here`},
      {head: 'Lag', numeric: true, cell: ({lag}) => number(lag)},
      {head: 'Stale', numeric: true, cell: ({stale_ms}) => stale_ms > 0 ? seconds(stale_ms / 1000) : 'no'},
      {head: 'Heard', cell: ({heard_ms, self}) => self ? '' : `${seconds(heard_ms / 1000)} ago`},
      {head: 'Up since', cell: ({started_at}) => dateTime(started_at)},
      {head: 'Version', cell: ({version}) => version},
      {head: 'Address', cell: ({url}) => url},
    ]} />
  );
}

function Partitions({status, nodes}: {status: Status; nodes: ClusterNode[]}) {
  const owners = (partition: string): string =>
    nodes.filter((node) => node.partitions.some((one) => one.partition === partition)).map(({id}) => id).join(', ');
  return (
    <Table caption="Partitions" rows={status.partitions} keyOf={({partition}) => partition} columns={[
      {head: 'Partition', cell: ({partition}) => <code>{partition}</code>},
      {head: 'Held by', cell: ({partition}) => owners(partition)},
      {head: 'Kept from', numeric: true, cell: ({start}) => number(start)},
      {head: 'Log’s end', numeric: true, cell: ({end}) => number(end)},
      {head: 'Applied', numeric: true, cell: ({applied}) => number(applied)},
      {head: 'Committed', numeric: true, cell: ({committed}) => number(committed)},
      {head: 'Lag', numeric: true, cell: ({lag}) => number(lag)},
      {head: 'Repeats known', numeric: true, cell: ({dedupe_window_hours: hours}) =>
        hours === undefined ? kNone : `${number(hours)} h`},
    ]} />
  );
}

function Memory({status, metrics}: {status: Status; metrics: Metrics}) {
  const {accounted_bytes: used, budget_bytes: budget, resident_bytes: resident} = status.memory;
  const asked = metrics.sum('memo_lookups_total');
  return (
    <Panel title="Memory" note="one budget for caches, write buffers, tables and views">
      <Meter label="Of the budget" share={used / budget} note={`${bytes(used)} of ${bytes(budget)}`} limited />
      <Figures>
        <Figure label="Resident" value={bytes(resident)} note="the whole process" />
        <Figure label="People in memory" value={number(metrics.sum('state_people_in_memory'))} />
        <Figure label="Answers from cache" value={asked > 0
          ? percent(metrics.sum('memo_lookups_total', ({found}) => found === 'yes') / asked) : kNone} />
      </Figures>
      <h3>By part</h3>
      <Bars label="Memory by part" bars={metrics.by('state_memory_part_bytes', 'part')
        .map(([part, value]) => ({name: words(part), value, note: bytes(value)}))} />
    </Panel>
  );
}

function Storage({metrics}: {metrics: Metrics}) {
  const free = metrics.sum('state_disk_free_bytes');
  const state = metrics.sum('state_disk_bytes');
  const log = metrics.sum('log_size_bytes');
  const taken = metrics.max('checkpoint_created_timestamp_seconds');
  return (
    <Panel title="Storage" note="of this node">
      <Bars label="Storage" bars={[
        {name: 'Log', value: log, note: bytes(log)},
        {name: 'State', value: state, note: bytes(state)},
        {name: 'Media', value: metrics.sum('media_used_bytes'), note: bytes(metrics.sum('media_used_bytes'))},
      ]} />
      <Figures>
        <Figure label="Free" value={bytes(free)} tone={free < 2e9 ? 'bad' : undefined} />
        <Figure label="To compact" value={bytes(metrics.sum('rocksdb_pending_compaction_bytes'))} />
        <Figure label="Checkpoint" value={taken > 0 ? dateTime(new Date(1000 * taken).toISOString()) : 'none yet'} />
        <Figure label="Failed commits" value={number(metrics.sum('commit_failures_total'))}
          tone={metrics.sum('commit_failures_total') > 0 ? 'bad' : undefined} />
      </Figures>
    </Panel>
  );
}

export function ClusterPage() {
  const cluster = usePolled<Cluster>('/v1/admin/cluster', 2000);
  const status = usePolled<Status>('/v1/admin/status', 2000);
  const metrics = useStore(useWatching().sampler.latest);
  return (
    <div class="grid">
      {status.data && !status.data.writable && (
        <p class="failure wide" role="alert">Writes are refused: {status.data.failure ?? 'see the log of the server'}.</p>
      )}
      <Panel title="Nodes" note="each applies every partition" class="wide">
        <Loaded from={cluster}>{(known) => <Nodes cluster={known} />}</Loaded>
      </Panel>
      <Panel title="Partitions" note="of this node’s log and state" class="wide">
        <Loaded from={status}>{(known) => <Partitions status={known} nodes={cluster.data?.nodes ?? []} />}</Loaded>
      </Panel>
      {status.data && metrics
        ? <><Memory status={status.data} metrics={metrics} /><Storage metrics={metrics} /></>
        : <Skeleton lines={6} />}
    </div>
  );
}
