import {Store, useStore} from '../store';

export type Theme = 'light' | 'dark';

const kKept = 'millrace-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

const kept = (): Theme | null => {
  const theme = localStorage.getItem(kKept);
  return theme === 'light' || theme === 'dark' ? theme : null;
};
const preferred = (): Theme => kept() ?? (system.matches ? 'dark' : 'light');
const theme = new Store<Theme>(preferred());

function apply(next: Theme): void {
  document.documentElement.dataset['theme'] = next;  // before anybody looks up a colour
  theme.set(next);
}
apply(theme.get());
system.addEventListener('change', () => apply(preferred()));

export const useTheme = (): Theme => useStore(theme);

function choose(next: Theme): void {
  localStorage.setItem(kKept, next);
  apply(next);
}

/** The system's theme until another one is chosen. */
export function ThemeSwitch() {
  const now = useTheme();
  const other: Theme = now === 'dark' ? 'light' : 'dark';
  return (
    <button type="button" class="quiet" onClick={() => choose(other)} aria-label={`Switch to the ${other} theme`}>
      {now === 'dark' ? '☀' : '☾'}
    </button>
  );
}
