import {useState} from 'preact/hooks';
import {useApi, usePolled} from '../api/poll';
import type {Attribution, Datasets, Job, Jobs, ModelMetrics, Models} from '../api/types';
import {bytes, dateTime, kNone, number, percent, words} from '../format';
import {Action} from '../ui/action';
import {Meter} from '../ui/bars';
import {Panel} from '../ui/panel';
import {Empty, Loaded} from '../ui/states';
import {Table} from '../ui/table';

const kSeldom = 15_000;  // ms: what the engine's limit of requests counts
const kUnderway = ['waiting', 'running'];

/** "recall_at_10 0.12" for each number that a training said. */
function figuresOf(metrics: Record<string, unknown>): string {
  const figures = Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return figures.map(([name, value]) => `${words(name)} ${number(value)}`).join(' · ') || kNone;
}

function Train({kinds, started}: {kinds: string[]; started: () => void}) {
  const api = useApi();
  const [kind, setKind] = useState(kinds[0] ?? '');
  const train = async (): Promise<string> => {
    await api.post<Job>('/v1/admin/jobs', {kind});
    started();
    return 'under way';
  };
  return (
    <>
      <select aria-label="Model to train" value={kind} onChange={({currentTarget}) => setKind(currentTarget.value)}>
        {kinds.map((name) => <option key={name} value={name}>{words(name)}</option>)}
      </select>
      <Action run={train}>Train</Action>
    </>
  );
}

function InUse({known}: {known: ModelMetrics}) {
  return (
    <Table caption="Models" rows={known.models} keyOf={({name}) => name} columns={[
      {head: 'Model', cell: ({name}) => <b>{words(name)}</b>},
      {head: 'Version', cell: ({version}) => version ? <code>{version.slice(0, 12)}</code> : 'not trained yet'},
      {head: 'Trained', cell: ({trained}) => dateTime(trained)},
      {head: 'Trained on', cell: ({position}) => position ? <code>{position}</code> : kNone},
      {head: 'Size', numeric: true, cell: (model) => model.version ? bytes(model.bytes) : kNone},
      {head: 'Its training said', cell: ({metrics}) => figuresOf(metrics)},
    ]} />
  );
}

function Versions() {
  const api = useApi();
  const versions = usePolled<Models>('/api/models/', kSeldom);
  const promote = async (name: string, version: string): Promise<string> => {
    await api.post(`/api/models/${name}/promote/`, {version});
    versions.again();
    return 'in use';
  };
  return (
    <Panel title="Versions" note="kept to go back to">
      <Loaded from={versions}>{({models}) => models.length === 0
        ? <Empty title="No versions yet">Train a model above.</Empty>
        : <Table caption="Versions" rows={models} keyOf={({name, version}) => name + version} columns={[
            {head: 'Model', cell: ({name}) => words(name)},
            {head: 'Version', cell: ({version}) => <code>{version.slice(0, 12)}</code>},
            {head: 'Trained', cell: ({trained}) => dateTime(trained)},
            {head: 'Use', cell: ({name, version, in_use}) => in_use ? <span class="chip running">in use</span>
              : <Action label={`Use ${words(name)} ${version}`} run={() => promote(name, version)}>Use</Action>},
          ]} />}
      </Loaded>
    </Panel>
  );
}

function Trainings({jobs, changed}: {jobs: Job[]; changed: () => void}) {
  const api = useApi();
  const cancel = async (id: string): Promise<string> => {
    await api.delete(`/v1/admin/jobs/${id}`);
    changed();
    return 'cancelled';
  };
  if (jobs.length === 0) return <Empty title="No trainings yet">Train a model above, or set <code>--train-every</code>.</Empty>;
  return (
    <Table caption="Trainings" rows={jobs} keyOf={({id}) => id} columns={[
      {head: 'Model', cell: ({kind}) => words(kind)},
      {head: 'State', cell: ({state}) => <span class={`chip ${state}`}>{state}</span>},
      {head: 'Progress', cell: ({kind, progress}) =>
        <Meter label={`Progress of ${words(kind)}`} share={progress} note={percent(progress)} bare />},
      {head: 'Begun', cell: ({created}) => dateTime(created)},
      {head: 'Said', cell: ({error}) => error ?? ''},
      {head: 'End', cell: ({id, state}) => kUnderway.includes(state) &&
        <Action label={`Cancel ${id}`} run={() => cancel(id)}>Cancel</Action>},
    ]} />
  );
}

interface Quality { algorithm: string; served: number; clicked: number; acted: number }

function Quality() {
  const asked = usePolled<Attribution>('/v1/admin/attribution', 10_000);
  const sum = ({rows}: Attribution): Quality[] => {
    const by = new Map<string, Quality>();
    for (const {algorithm, served, clicked, acted} of rows) {
      const row = by.get(algorithm) ?? {algorithm, served: 0, clicked: 0, acted: 0};
      by.set(algorithm, {algorithm, served: row.served + served, clicked: row.clicked + clicked, acted: row.acted + acted});
    }
    return [...by.values()].sort((a, b) => b.served - a.served);
  };
  return (
    <Panel title="What came of recommendations" note="last 24 hours, by algorithm">
      <Loaded from={asked}>{(answer) => answer.rows.length === 0
        ? <Empty title="No answers were logged">Send <code>recommendation_id</code> with what people do.</Empty>
        : <Table caption="What came of recommendations" rows={sum(answer)} keyOf={({algorithm}) => algorithm} columns={[
            {head: 'Algorithm', cell: ({algorithm}) => words(algorithm)},
            {head: 'Answers', numeric: true, cell: ({served}) => number(served)},
            {head: 'Clicked', numeric: true, cell: ({clicked, served}) => percent(clicked / served)},
            {head: 'Acted on', numeric: true, cell: ({acted, served}) => percent(acted / served)},
          ]} />}
      </Loaded>
    </Panel>
  );
}

function DatasetsPanel() {
  const known = usePolled<Datasets>('/api/datasets/', kSeldom);
  return (
    <Panel title="Data sets" note="as they were uploaded">
      <Loaded from={known}>{({datasets}) => datasets.length === 0
        ? <Empty title="None">Upload a CSV file: <code>POST /api/upload-dataset/</code>.</Empty>
        : <Table caption="Data sets" rows={datasets} keyOf={({dataset_id}) => String(dataset_id)} columns={[
            {head: 'Name', cell: ({name}) => name},
            {head: 'Of', cell: ({dataset_type}) => dataset_type},
            {head: 'Rows', numeric: true, cell: ({rows}) => number(rows)},
            {head: 'Rejected', numeric: true, cell: ({rows_rejected}) => number(rows_rejected)},
            {head: 'Size', numeric: true, cell: (one) => bytes(one.bytes)},
            {head: 'Uploaded', cell: ({created}) => dateTime(created)},
          ]} />}
      </Loaded>
    </Panel>
  );
}

export function ModelsPage() {
  const models = usePolled<ModelMetrics>('/api/model-metrics/', kSeldom);
  const jobs = usePolled<Jobs>('/v1/admin/jobs', 1000);
  return (
    <div class="grid">
      <Panel title="Models" note="in use" class="wide"
        actions={models.data && <Train kinds={models.data.models.map(({name}) => name)} started={jobs.again} />}>
        <Loaded from={models}>{(known) => <InUse known={known} />}</Loaded>
      </Panel>
      <Panel title="Trainings" class="wide">
        <Loaded from={jobs}>{(known) => <Trainings jobs={known.jobs} changed={jobs.again} />}</Loaded>
      </Panel>
      <Versions />
      <Quality />
      <DatasetsPanel />
    </div>
  );
}
