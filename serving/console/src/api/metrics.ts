// The text format of Prometheus, as far as the console needs it.

interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** Cumulative counts by upper bound in seconds, ascending, the last of them infinite. */
export type Histogram = [bound: number, count: number][];

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

export class Metrics {
  private readonly samples = new Map<string, Sample[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, labels, value] = LINE.exec(line) ?? [];
      if (!name || name.startsWith('http_request_duration')) continue;
      const sample = {labels: labelsOf(labels ?? ''), value: Number(value)};
      const known = this.samples.get(name);
      if (known) known.push(sample);
      else this.samples.set(name, [sample]);
    }
  }

  /** Of all samples whose labels `fits` takes; 0 where there is none. */
  sum(name: string, fits: (labels: Record<string, string>) => boolean = () => true): number {
    let sum = 0;
    for (const {labels, value} of this.samples.get(name) ?? []) if (fits(labels)) sum += value;
    return sum;
  }

  max(name: string): number {
    return Math.max(0, ...(this.samples.get(name) ?? []).map(({value}) => value));
  }

  /** Samples by one of their labels, the greatest first. */
  by(name: string, label: string): [label: string, value: number][] {
    return (this.samples.get(name) ?? []).map(({labels, value}): [string, number] => [labels[label] ?? '', value])
      .sort(([, a], [, b]) => b - a);
  }

  histogram(name: string): Histogram {
    return (this.samples.get(`${name}_bucket`) ?? []).map(({labels, value}) =>
      [labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value]);
  }
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** Below which a share of what came between two moments lies; null when nothing came. Linear within a bucket. */
export function quantile(before: Histogram, now: Histogram, share: number): number | null {
  const came = now.map(([, count], i) => count - (before[i]?.[1] ?? 0));
  const total = came[came.length - 1] ?? 0;
  if (total <= 0) return null;
  const at = came.findIndex((count) => count >= share * total);
  const low = now[at - 1]?.[0] ?? 0;
  const bound = now[at]?.[0] ?? 0;
  if (!Number.isFinite(bound)) return low;
  const below = came[at - 1] ?? 0;
  return low + (bound - low) * (share * total - below) / ((came[at] ?? 0) - below);
}
