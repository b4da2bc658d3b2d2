import type {ComponentChildren} from 'preact';
import {useState} from 'preact/hooks';
import {messageOf} from '../api/client';

interface ActionProps {
  /** Answers what has come of it, for people. */
  run: () => Promise<string>;
  label?: string;
  children: ComponentChildren;
}

/** A button that changes something, and says what came of it. */
export function Action({run, label, children}: ActionProps) {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{text: string; bad: boolean} | null>(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setSaid(null);
    try {
      setSaid({text: await run(), bad: false});
    } catch (error) {
      setSaid({text: messageOf(error), bad: true});
    }
    setBusy(false);
  };
  return (
    <span class="action">
      <button type="button" disabled={busy} aria-label={label} onClick={() => void act()}>{children}</button>
      <span role="status" class={said?.bad ? 'bad' : ''}>{said?.text}</span>
    </span>
  );
}
