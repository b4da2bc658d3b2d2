import {useState} from 'preact/hooks';

const kHues = 12;

function pictureOf(id: string, kind: string, attributes: Record<string, unknown> = {}): string | null {
  const named = attributes['poster'];
  if (typeof named === 'string' && /^\/(?!\/)/.test(named)) return named;  // of this server alone
  const [, video] = kind === 'video' ? /^video:(\d+)$/.exec(id) ?? [] : [];
  return video ? `/media/videos/${video}.jpg` : null;
}

function hueOf(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (31 * sum + letter.charCodeAt(0)) % 997;
  return sum % kHues;
}

interface PosterProps {
  id: string;
  kind: string;
  title: string;
  attributes?: Record<string, unknown> | undefined;
}

/** The item's picture where the server has one, else its initials. */
export function Poster({id, kind, title, attributes}: PosterProps) {
  const [broken, setBroken] = useState<string | null>(null);
  const picture = pictureOf(id, kind, attributes);
  if (picture && picture !== broken) {
    return <img class="poster" src={picture} alt="" loading="lazy" onError={() => setBroken(picture)} />;
  }
  const initials = title.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2).map((word) => word[0]).join('');
  return <span class={`poster hue-${hueOf(id)}`} aria-hidden="true">{(initials || id[0]) ?? ''}</span>;
}
