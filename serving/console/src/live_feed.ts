import {LiveSocket, type LiveState} from './api/live';
import type {Api} from './api/client';
import type {LiveEvent} from './api/types';
import {Store} from './store';

export const kSeconds = 300;  // of which charts tell
const kShown = 50;            // events
const kPause = 100;           // ms between two redrawings

/** What was heard in one second. */
export interface Heard {
  second: number;
  byType: Record<string, number>;
}

/** Events as they come in: the newest ones, and how many of each type a second. */
export class LiveFeed {
  readonly state = new Store<LiveState>('off');
  readonly newest = new Store<LiveEvent[]>([]);
  readonly missed = new Store(0);
  readonly arrivals = new Store(0);  // rises with each event
  readonly people = new Set<string>();
  heard: Heard[] = [];
  private readonly socket: LiveSocket | null;
  private waiting: LiveEvent[] = [];
  private timer = 0;

  /** Without an API there is nothing to hear. */
  constructor(api: Api | null) {
    this.socket = api && new LiveSocket(api, {
      state: (now) => this.state.set(now),
      interaction: (event) => this.take(event),
      dropped: (count) => this.missed.set(this.missed.get() + count),
    });
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private take(event: LiveEvent): void {
    this.waiting.push(event);
    this.timer ||= window.setTimeout(() => this.show(), kPause);
  }

  private show(): void {
    this.timer = 0;
    const came = this.waiting;
    this.waiting = [];
    for (const event of came) {
      this.count(event.type);
      if (this.people.size < 500) this.people.add(event.user);
    }
    this.newest.set([...came.reverse(), ...this.newest.get()].slice(0, kShown));
    this.arrivals.set(this.arrivals.get() + came.length);
  }

  private count(type: string): void {
    const second = Math.floor(Date.now() / 1000);
    let last = this.heard[this.heard.length - 1];
    if (last?.second !== second) {
      last = {second, byType: {}};
      this.heard = [...this.heard.slice(1 - kSeconds), last];
    }
    last.byType[type] = (last.byType[type] ?? 0) + 1;
  }
}
