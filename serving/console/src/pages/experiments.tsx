import {useApi, usePolled} from '../api/poll';
import type {Experiment, ExperimentResults, Experiments, ExperimentWithResults, MetricValue} from '../api/types';
import {dateTime, number, percent, words} from '../format';
import {Action} from '../ui/action';
import {Meter} from '../ui/bars';
import {Panel} from '../ui/panel';
import {Empty, Loaded} from '../ui/states';
import {Table} from '../ui/table';

const kWidth = 200;
const kSeldom = 15_000;  // ms: what the engine's limit of requests counts
const kOrder: Experiment['state'][] = ['running', 'scheduled', 'stopped', 'ended'];
const kVerdicts: Record<ExperimentResults['verdict'], string> = {
  too_few_people: 'Too few people to say anything',
  sample_ratio_mismatch: 'People are not spread as they should be: nothing can be said',
  undecided: 'No difference is certain yet',
  decided: 'Decided',
};

/** A value with its interval on a scale that all arms share. */
function Interval({metric, most}: {metric: MetricValue; most: number}) {
  const at = (value: number): number => kWidth * Math.max(0, Math.min(1, value / most));
  const {value, low, high} = metric;
  const known = low !== null && high !== null;
  return (
    <span class="interval">
      <svg viewBox={`-5 0 ${kWidth + 10} 12`} aria-hidden="true">
        <line class="axis" x1={0} x2={kWidth} y1={6} y2={6} />
        {known && <line class="range" x1={at(low)} x2={at(high)} y1={6} y2={6} />}
        <circle cx={at(value)} cy={6} r={4} />
      </svg>
      {percent(value)} <small>{known ? `${percent(low)} to ${percent(high)}` : 'too few for an interval'}</small>
    </span>
  );
}

function Verdict({results, wanted}: {results: ExperimentResults; wanted: number}) {
  const fewest = Math.min(...results.variants.map(({people}) => people));
  return (
    <div class={`verdict ${results.verdict}`}>
      <p><b>{results.verdict === 'decided' && results.winner ? `${results.winner} is better` : kVerdicts[results.verdict]}</b></p>
      <p class="note">{results.summary}</p>
      {results.verdict === 'too_few_people' && (
        <Meter label="People in the smallest arm" share={fewest / wanted} note={`${number(fewest)} of ${number(wanted)}`} />
      )}
    </div>
  );
}

function Arms({of, metric}: {of: ExperimentWithResults; metric: string}) {
  const {variants} = of.results;
  const most = Math.max(...variants.map((arm) => arm.metrics[metric]?.high ?? arm.metrics[metric]?.value ?? 0), 1e-9);
  const algorithm = new Map(of.variants.map(({name, config}) => [name, config.algorithm]));
  return (
    <Table caption={`Arms of ${of.name}`} rows={variants} keyOf={({name}) => name} columns={[
      {head: 'Arm', cell: ({name}) => <b>{name}</b>},
      {head: 'Ranks by', cell: ({name}) => words(algorithm.get(name) ?? '')},
      {head: 'Share', numeric: true, cell: ({name}) => percent(of.traffic_allocation[name])},
      {head: 'People', numeric: true, cell: ({people}) => number(people)},
      {head: 'Exposures', numeric: true, cell: ({exposures}) => number(exposures)},
      {head: 'Clicks', numeric: true, cell: ({clicks}) => number(clicks)},
      {head: 'Purchases', numeric: true, cell: ({conversions}) => number(conversions)},
      {head: words(metric), cell: ({metrics}) => {
        const value = metrics[metric];
        return value && <Interval metric={value} most={most} />;
      }},
    ]} />
  );
}

function ExperimentPanel({experiment}: {experiment: Experiment}) {
  const api = useApi();
  const path = `/api/ab-test/${experiment.experiment_id}/`;
  const known = usePolled<ExperimentWithResults>(path, experiment.state === 'running' ? kSeldom : Infinity);
  const metric = experiment.success_metrics[0] ?? 'click_through_rate';
  const stop = async (): Promise<string> => {
    await api.post(`${path}stop/`);
    known.again();
    return 'stopped';
  };
  const state = known.data?.state ?? experiment.state;
  const ends = `${words(experiment.kind)} · ${dateTime(experiment.start_date)} to ${dateTime(experiment.end_date)}`;
  return (
    <Panel title={experiment.name} class="wide" note={<><span class={`chip ${state}`}>{state}</span> {ends}</>}
      actions={(state === 'running' || state === 'scheduled') && <Action run={stop}>Stop for good</Action>}>
      <Loaded from={known}>{(of) => (
        <>
          <Verdict results={of.results} wanted={of.minimum_sample_size} />
          <Arms of={of} metric={metric} />
        </>
      )}</Loaded>
    </Panel>
  );
}

export function ExperimentsPage() {
  const known = usePolled<Experiments>('/api/ab-test/?limit=20', kSeldom);
  return (
    <Loaded from={known} lines={6}>{({experiments}) => experiments.length === 0
      ? <Empty title="No experiments">
          <code>POST /api/ab-test/create/</code> makes one: two algorithms or more against each other, each person always
          with the same one.
        </Empty>
      : <div class="grid">{[...experiments].sort((a, b) => kOrder.indexOf(a.state) - kOrder.indexOf(b.state)).map((one) => <ExperimentPanel key={one.experiment_id} experiment={one} />)}</div>}
    </Loaded>
  );
}
