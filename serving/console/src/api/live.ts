import type {Api} from './client';
import type {LiveEvent} from './types';

export type LiveState = 'off' | 'connecting' | 'listening' | 'lost';

interface Dropped { event: 'dropped'; count: number; unseen: number }
type Message = LiveEvent | Dropped | {event: 'listening'};

export interface LiveListener {
  state(now: LiveState): void;
  interaction(event: LiveEvent): void;
  dropped(count: number): void;
}

const kFirstPause = 1000;
const kLongestPause = 30_000;
const kAccessEnded = 4401;

/** Listens to /v1/live over a WebSocket until it is closed; a lost connection is made anew, ever more slowly. */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private pause = kFirstPause;
  private timer = 0;
  private closed = false;

  constructor(private readonly api: Api, private readonly listener: LiveListener) {
    void this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.listener.state('off');
  }

  private async connect(): Promise<void> {
    this.listener.state('connecting');
    try {
      const {ticket} = await this.api.post<{ticket: string}>('/v1/live/tickets');
      if (this.closed) return;
      const origin = location.origin.replace(/^http/, 'ws');
      this.listen(new WebSocket(`${origin}/v1/live?ticket=${encodeURIComponent(ticket)}`));
    } catch {
      this.again();
    }
  }

  private listen(socket: WebSocket): void {
    this.socket = socket;
    socket.onmessage = ({data}) => this.hear(JSON.parse(String(data)) as Message);
    socket.onclose = ({code}) => {
      if (code === kAccessEnded) this.closed = true;
      this.again();
    };
  }

  private hear(message: Message): void {
    if (message.event === 'interaction') return this.listener.interaction(message);
    if (message.event === 'dropped') return this.listener.dropped(message.count + message.unseen);
    this.pause = kFirstPause;
    this.listener.state('listening');
  }

  private again(): void {
    if (this.closed) return this.listener.state('off');
    this.listener.state('lost');
    this.timer = window.setTimeout(() => void this.connect(), this.pause);
    this.pause = Math.min(2 * this.pause, kLongestPause);
  }
}
