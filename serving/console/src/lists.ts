import type {Api} from './api/client';
import {repeat} from './api/poll';
import type {RankedList} from './api/types';
import {Store} from './store';

export type ListName = 'trending' | 'rising';
type Entries = RankedList['items'];

const kEvery = 3000;   // ms where nothing is heard
const kSoonest = 250;  // ms between two questions
const kShown = 12;
const kPoints = 60;    // of a spark line, one a second at most

interface Trail { second: number; scores: number[] }

/** One ranked list as it moves: asked for again when something happened, with a trail of scores for each item. */
export class WatchedList {
  readonly entries = new Store<Entries | null>(null);
  readonly error = new Store<unknown>(null);
  private readonly trails = new Map<string, Trail>();
  private readonly end: () => void;
  private timer = 0;
  private asked = 0;

  constructor(private readonly api: Api, private readonly name: ListName) {
    this.end = repeat(kEvery, () => this.ask());
  }

  close(): void {
    clearTimeout(this.timer);
    this.end();
  }

  /** Something happened that may have moved the list. */
  stir(): void {
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      void this.ask();
    }, Math.max(0, this.asked + kSoonest - Date.now()));
  }

  trail(item: string): number[] {
    return this.trails.get(item)?.scores ?? [];
  }

  private async ask(): Promise<void> {
    this.asked = Date.now();
    try {
      const {items} = await this.api.get<RankedList>(`/v1/lists/${this.name}?limit=${kShown}`);
      items.forEach((item) => this.follow(item.id, item.score));
      this.error.set(null);
      this.entries.set(items);
    } catch (error) {
      this.error.set(error);
    }
  }

  private follow(item: string, score: number): void {
    const second = Math.floor(Date.now() / 1000);
    const trail = this.trails.get(item) ?? {second: 0, scores: []};
    if (trail.second === second) trail.scores[trail.scores.length - 1] = score;
    else trail.scores = [...trail.scores.slice(1 - kPoints), score];
    trail.second = second;
    this.trails.set(item, trail);
  }
}
