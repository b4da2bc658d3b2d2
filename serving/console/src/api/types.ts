// Answers of the API, as far as the console reads them: schemas/openapi/*.yaml.

export interface Item {
  id: string;
  kind: string;
  title: string;
  categories: string[];
  tags: string[];
  price?: string;
  published?: string;
  attributes?: Record<string, unknown>;
  hidden?: boolean;
  views: number;
  likes: number;
  shares: number;
  saves: number;
  plays: number;
  watch_count: number;
  rating_count: number;
  average_rating: number | null;
  popularity: number;
  trend_score: number;
}

export interface RankedItem {
  id: string;
  kind: string;
  title: string;
  score: number;
  parts?: Record<string, number>;
}

export interface ItemPage { items: Item[] }
export interface RankedList { list: string; items: (Item & RankedItem)[] }
export interface SimilarItems { items: RankedItem[] }

export interface Recommendations {
  algorithm: string;
  level: string;
  items: RankedItem[];
}

export interface WeightedName { name: string; weight: number; liked: number; interest: number }

export interface Profile {
  user: string;
  events: number;
  counts: Record<string, number>;
  liked: number;
  saved: number;
  rated: number;
  watched: number;
  categories: WeightedName[];
  tags: WeightedName[];
  recent: string[];
}

export interface HistoryEntry {
  id: string;
  title?: string;
  type: string;
  time: string;
  position: string;
  value?: number;
}

export interface History { items: HistoryEntry[]; next_cursor?: string }

/** An event of /v1/live. */
export interface LiveEvent {
  event: 'interaction';
  position: string;
  type: string;
  user: string;
  item: string;
  kind?: string;
  time: string;
  value?: number;
}

export interface PartitionStatus {
  partition: string;
  start: number;
  end: number;
  applied: number;
  committed: number;
  lag: number;
  dedupe_window_hours?: number;
}

export interface Status {
  version: string;
  writable: boolean;
  failure?: string;
  partitions: PartitionStatus[];
  memory: {budget_bytes: number; accounted_bytes: number; resident_bytes: number};
}

export interface ClusterNode {
  id: string;
  url: string;
  self: boolean;
  state: string;
  version: string;
  started_at: string;
  heard_ms: number;
  stale_ms: number;
  lag: number;
  partitions: {partition: string; applied: number; lag: number}[];
}

export interface Move { node: string; state: string; bytes?: number; of_bytes?: number; lag?: number }
export interface Cluster { nodes: ClusterNode[]; moving: Move[] }

export interface DeadLetter {
  partition: string;
  offset: number;
  time: string;
  reason: string;
  user?: string;
  record: string;
  event?: Record<string, unknown>;
}

export interface DeadLetters { items: DeadLetter[]; next_cursor?: string }
export interface Replayed { replayed: number; skipped: number }

export interface MetricValue { value: number; low: number | null; high: number | null }

export interface VariantResults {
  name: string;
  people: number;
  exposures: number;
  clicks: number;
  conversions: number;
  metrics: Record<string, MetricValue>;
}

export interface Comparison {
  variant: string;
  baseline: string;
  metric: string;
  difference: number;
  always_valid: {low: number | null; high: number | null; p_value: number};
}

export interface Experiment {
  experiment_id: string;
  name: string;
  kind: string;
  variants: {name: string; config: {algorithm: string}}[];
  traffic_allocation: Record<string, number>;
  success_metrics: string[];
  start_date: string;
  end_date: string;
  minimum_sample_size: number;
  state: 'scheduled' | 'running' | 'ended' | 'stopped';
}

export interface ExperimentResults {
  verdict: 'too_few_people' | 'sample_ratio_mismatch' | 'undecided' | 'decided';
  winner: string | null;
  summary: string;
  variants: VariantResults[];
  comparisons?: Comparison[];
}

export interface ExperimentWithResults extends Experiment { results: ExperimentResults }
export interface Experiments { experiments: Experiment[] }

export interface ModelMetrics {
  models: {name: string; version: string | null; position: string | null; trained: string | null; bytes: number;
    metrics: Record<string, unknown>}[];
}

export interface Models {
  models: {name: string; version: string; in_use: boolean; position: string; trained: string; bytes: number}[];
}

export interface Job {
  id: string;
  kind: string;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  progress: number;
  created?: string;
  finished?: string;
  error?: string;
}

export interface Jobs { jobs: Job[] }

export interface Dataset {
  dataset_id: number;
  dataset_type: string;
  name: string;
  bytes: number;
  rows: number;
  rows_rejected: number;
  created: string;
}

export interface Datasets { datasets: Dataset[] }

export interface Attribution {
  rows: {start: string; algorithm: string; served: number; clicked: number; acted: number}[];
}

export interface Account { id: number; username: string; role: string }
export interface Accounts { count: number; results: Account[] }
