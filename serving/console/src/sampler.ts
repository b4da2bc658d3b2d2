import type {Api} from './api/client';
import {Metrics, quantile, type Histogram} from './api/metrics';
import {repeat} from './api/poll';
import {kSeconds} from './live_feed';
import {Store} from './store';

const kEvery = 1000;  // ms
const kWindow = 10;   // samples that a quantile is made of

/** What the metrics say of one second. */
export interface Sample {
  second: number;
  applied: number;    // events a second
  failures: number;   // 5xx a second
  lag: number;        // records
  freshHalf: number | null;   // seconds from append to visible, the median
  freshMost: number | null;   // and of 99 in 100
  deadLetters: number;        // since the start of the server
}

interface Reading {
  at: number;  // ms
  applied: number;
  failures: number;
  fresh: Histogram;
}

/** Reads /metrics every second and keeps what charts tell, whichever page is shown. */
export class Sampler {
  readonly samples = new Store<Sample[]>([]);
  readonly latest = new Store<Metrics | null>(null);
  readonly silent = new Store(false);  // the server does not answer
  private readings: Reading[] = [];
  readonly close: () => void;

  constructor(private readonly api: Api) {
    this.close = repeat(kEvery, (signal) => this.read(signal));
  }

  private async read(signal: AbortSignal): Promise<void> {
    try {
      const metrics = new Metrics(await this.api.text('/metrics', signal));
      this.silent.set(false);
      this.latest.set(metrics);
      this.compare(metrics);
    } catch {
      if (!signal.aborted) this.silent.set(true);
    }
  }

  private compare(metrics: Metrics): void {
    const now: Reading = {
      at: Date.now(),
      applied: metrics.sum('events_applied_total'),
      failures: metrics.sum('http_requests_total', ({code}) => code?.startsWith('5') ?? false),
      fresh: metrics.histogram('event_to_visible_seconds'),
    };
    const before = this.readings[this.readings.length - 1];
    const from = this.readings[0];
    this.readings = [...this.readings.slice(1 - kWindow), now];
    if (!before || !from || now.applied < before.applied) return;  // the first, or the server is another one
    const passed = (now.at - before.at) / 1000;
    const sample: Sample = {
      second: Math.floor(now.at / 1000),
      applied: (now.applied - before.applied) / passed,
      failures: (now.failures - before.failures) / passed,
      lag: metrics.sum('apply_lag_offsets'),
      freshHalf: quantile(from.fresh, now.fresh, 0.5),
      freshMost: quantile(from.fresh, now.fresh, 0.99),
      deadLetters: metrics.sum('dlq_total') + metrics.sum('millrace_catalog_dead_letters_total'),
    };
    this.samples.set([...this.samples.get().slice(1 - kSeconds), sample]);
  }
}
