const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const short = new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1});
const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const date = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'short'});

export const kNone = '–';

/** Three digits that say something: 0.0123, 1.23, 12.3, 1,234, 1.2M. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return kNone;
  const size = Math.abs(value);
  if (size >= 100_000) return short.format(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return String(Number(value.toPrecision(3)));
}

/** Of a list, so that its numbers stand below one another. */
export const score = (value: number): string => Math.abs(value) < 1000 ? value.toFixed(2) : number(value);

/** "1 like", "2 likes". */
export const counted = (count: number, what: string): string => `${number(count)} ${what}${count === 1 ? '' : 's'}`;

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? kNone : `${number(100 * share)} %`;

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), units.length - 1);
  return `${number(count / 1024 ** power)} ${units[power]}`;
}

export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return kNone;
  if (value < 0.001 && value > 0) return `${number(value * 1e6)} µs`;
  return value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
}

export const timeOfDay = (time: string | number): string => clock.format(new Date(time));
export const dateTime = (time: string | null | undefined): string => time ? date.format(new Date(time)) : kNone;

/** "genre_weighted" as people write it. */
export const words = (name: string): string => name.replace(/[_-]/g, ' ');
