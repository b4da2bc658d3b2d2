import {number, words} from '../format';

/** Of items, by id. */
export type Titles = ReadonlyMap<string, string>;

export interface Bar { name: string; value: number; note?: string }

/** Names with bars as long as their values. */
export function Bars({bars, label, href}: {bars: Bar[]; label: string; href?: (name: string) => string}) {
  const most = Math.max(...bars.map(({value}) => Math.abs(value)), Number.MIN_VALUE);
  return (
    <ul class="bars" aria-label={label}>
      {bars.map(({name, value, note}) => (
        <li key={name}>
          <span class="bar-name">{href ? <a href={href(name)}>{name}</a> : name}</span>
          <span class="bar-track" aria-hidden="true">
            <span class="bar-fill" style={{width: `${100 * Math.abs(value) / most}%`}} />
          </span>
          <span class="bar-value">{note ?? number(value)}</span>
        </li>
      ))}
    </ul>
  );
}

interface MeterProps {
  label: string;
  share: number;
  note: string;
  bare?: boolean;    // what surrounds it says what it is
  limited?: boolean; // full is bad
}

/** A share of a whole: how full, how far. */
export function Meter({label, share, note, bare, limited}: MeterProps) {
  const part = Math.max(0, Math.min(1, share));
  return (
    <div class="meter">
      <span class={bare ? 'hidden' : ''}>{label}</span>
      <span class="meter-note">{note}</span>
      <span class="bar-track" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
        aria-valuenow={Math.round(100 * part)} aria-valuetext={note}>
        <span class={`bar-fill ${limited && part > 0.9 ? 'high' : ''}`} style={{width: `${100 * part}%`}} />
      </span>
    </div>
  );
}

const kColours = 8;

const sizeOf = (parts: Record<string, number>): number =>
  Object.values(parts).reduce((total, value) => total + Math.abs(value), 0);

/** The widest bar of parts among these items. */
export const widest = (items: {parts?: Record<string, number>}[]): number =>
  Math.max(...items.map(({parts}) => sizeOf(parts ?? {})), Number.MIN_VALUE);

interface PartsProps {
  parts: Record<string, number>;
  most: number;
  titles?: Titles;
}

/** Why: the parts that a score is the sum of, each as wide as its size beside `most`; what takes away is hatched. A part that is named
 * by an item is shown by its title. */
export function Parts({parts, most, titles}: PartsProps) {
  const all = Object.entries(parts);
  const shown = all.filter(([, value]) => value !== 0);
  const look = (name: string, value: number): string =>
    `part-${all.findIndex(([one]) => one === name) % kColours}${value < 0 ? ' negative' : ''}`;
  return (
    <div class="parts">
      <div class="stack" aria-hidden="true">
        {shown.map(([name, value]) => (
          <span key={name} class={look(name, value)} style={{width: `${100 * Math.abs(value) / most}%`}} />
        ))}
      </div>
      <ul aria-label="Parts of the score">
        {shown.map(([name, value]) => (
          <li key={name}><i class={look(name, value)} aria-hidden="true" />{titles?.get(name) ?? words(name)} {number(value)}</li>
        ))}
      </ul>
    </div>
  );
}
