import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {timeOfDay} from '../format';
import {useTheme} from './theme';

export interface Series {
  label: string;
  values: (number | null)[];
}

interface ChartProps {
  label: string;
  seconds: number[];  // since 1970, ascending
  series: Series[];
  format: (value: number) => string;
}

const kHeight = 190;
const kSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300];  // seconds between two marks
const kColours = 8;

function optionsOf({label, series, format}: ChartProps, host: HTMLElement): uPlot.Options {
  const style = getComputedStyle(host);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {stroke: colour('dim'), grid: {stroke: colour('line'), width: 1}, ticks: {stroke: colour('line'), width: 1}};
  return {
    width: host.clientWidth,
    height: kHeight,
    title: label,
    legend: {show: false},
    cursor: {y: false, drag: {x: false, y: false}},
    scales: {y: {range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1]}},
    axes: [{...axis, space: 80, incrs: kSteps, values: (_, ticks) => ticks.map((at) => timeOfDay(1000 * at))}, {...axis, size: 64, values: (_, ticks) => ticks.map(format)}],
    series: [{}, ...series.map((one, i) => ({
      label: one.label, stroke: colour(`series-${i % kColours}`), width: 1.75, points: {show: false}, spanGaps: true}))],
  };
}

const lastOf = (values: (number | null)[]): number | null => values[values.length - 1] ?? null;

/** Lines over time. Their newest values stand below as text. */
export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const names = props.series.map(({label}) => label).join();
  const data: uPlot.AlignedData = [props.seconds, ...props.series.map(({values}) => values)];

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(optionsOf(props, element), data, element);
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({width: element.clientWidth, height: kHeight}));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [theme, names]);
  useEffect(() => plot.current?.setData(data));

  return (
    <figure class="chart">
      <div ref={host} aria-hidden="true" />
      <figcaption>
        <span class="hidden">{props.label}: </span>
        {props.series.map(({label, values}, i) => (
          <span key={label}>
            <i class={`part-${i % kColours}`} aria-hidden="true" />{label}{' '}
            <b>{lastOf(values) === null ? '–' : props.format(lastOf(values) ?? 0)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
