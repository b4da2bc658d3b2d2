/** What the server refused, by RFC 9457 or a surface's own form. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** What an error says to a person. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return 'The server does not answer. It is asked again by itself.';
}

async function refusalOf(reply: Response): Promise<ApiError> {
  const body: unknown = await reply.json().catch(() => null);
  const texts = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const said = [texts['detail'], texts['error'], texts['title']].find((text) => typeof text === 'string');
  const field = typeof texts['field'] === 'string' ? `${texts['field']}: ` : '';
  return new ApiError(reply.status, field + String(said ?? `The server answered ${reply.status}.`));
}

type Body = Record<string, unknown>;

/** The server of this page, with one credential. */
export class Api {
  /** `refused` hears that the credential holds no longer, and that it must not be sent again. */
  constructor(readonly token: string | null, private readonly refused: () => void) {}

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.send<T>('GET', path, undefined, signal);
  }

  post<T>(path: string, body?: Body): Promise<T> {
    return this.send<T>('POST', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.send<T>('DELETE', path);
  }

  async text(path: string, signal?: AbortSignal): Promise<string> {
    return (await this.reply('GET', path, undefined, signal)).text();
  }

  private async send<T>(method: string, path: string, body?: Body, signal?: AbortSignal): Promise<T> {
    const reply = await this.reply(method, path, body, signal);
    return (reply.status === 204 ? undefined : await reply.json()) as T;
  }

  private async reply(method: string, path: string, body?: Body, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.token) headers['Authorization'] = `Bearer ${this.token}`;
    if (body) headers['Content-Type'] = 'application/json';
    const reply = await fetch(path, {
      method, headers, credentials: 'omit', cache: 'no-cache',  // lists may be kept for a second: too long here
      body: body ? JSON.stringify(body) : null, signal: signal ?? null});
    if (reply.ok) return reply;
    if (reply.status === 401 && this.token) this.refused();
    throw await refusalOf(reply);
  }
}
