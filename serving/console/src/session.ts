import {Api, ApiError} from './api/client';
import type {Account, Accounts} from './api/types';

/** What the one who looks may see; the API holds it all the same. */
export interface Role {
  name: string;           // as whom they are signed in, for people
  admin: boolean;
  reads: boolean;         // of everybody
  listens: boolean;       // to /v1/live
  person: string | null;  // whose own pages they may see, where not everybody's
  open: boolean;          // nobody signs in: there is no account and no key yet
}

const kNobody: Role = {name: '', admin: false, reads: false, listens: false, person: null, open: false};
const kKept = 'millrace-credential';

export interface Credential {
  token: string;
  issued: boolean;  // to this page, by logging in: it ends with signing out, as a key does not
}

/** The credential outlives a reload of the page, not the browser's tab. */
export function keptCredential(): Credential | null {
  const kept = sessionStorage.getItem(kKept);
  return kept === null ? null : JSON.parse(kept) as Credential;
}

export function keepCredential(credential: Credential | null): void {
  if (credential) sessionStorage.setItem(kKept, JSON.stringify(credential));
  else sessionStorage.removeItem(kKept);
}

/** Whether the server answers this; other failures than a refusal are thrown. */
async function may(api: Api, path: string): Promise<boolean> {
  try {
    await api.get(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || (error.status === 401 && !api.token))) return false;
    throw error;
  }
}

async function ownAccount(api: Api): Promise<Account | null> {
  if (!await may(api, '/api/users/?page_size=1')) return null;
  return (await api.get<Accounts>('/api/users/?page_size=1')).results[0] ?? null;
}

/** Asks the API what it would refuse, since that is what holds. */
export async function roleOf(api: Api): Promise<Role> {
  const admin = await may(api, '/v1/admin/status');
  if (admin) {
    const open = !api.token;
    return {name: open ? 'everybody' : 'administrator', admin, reads: true, listens: true, person: null, open};
  }
  if (!api.token) return kNobody;
  const account = await ownAccount(api);
  if (account) return {...kNobody, name: account.username, listens: true, person: String(account.id)};
  return {...kNobody, name: 'a key', reads: await may(api, '/v1/users/console/profile')};
}

export async function logIn(username: string, password: string): Promise<Credential> {
  const api = new Api(null, () => {});
  const {token} = await api.post<{token: string}>('/api/token/', {username, password});
  return {token, issued: true};
}
