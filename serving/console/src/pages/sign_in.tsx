import {useId, useState} from 'preact/hooks';
import {messageOf} from '../api/client';
import {logIn, type Credential} from '../session';
import {Panel} from '../ui/panel';

interface SignInProps {
  /** Takes a credential over; fails where it is not known. */
  enter: (credential: Credential) => Promise<void>;
  ended: boolean;  // the last credential holds no longer
}

interface FieldProps { name: string; type: string; autocomplete: string; label: string }

function Field({label, ...input}: FieldProps) {
  const id = useId();
  return (
    <>
      <label for={id}>{label}</label>
      <input id={id} required {...input} />
    </>
  );
}

interface EntryProps { title: string; note: string; fields: FieldProps[]; enter: (values: FormData) => Promise<void> }

function Entry({title, note, fields, enter}: EntryProps) {
  const [refusal, setRefusal] = useState<string | null>(null);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setRefusal(null);
    try {
      await enter(new FormData(form));
    } catch (error) {
      setRefusal(messageOf(error));
    }
  };
  return (
    <Panel title={title} note={note}>
      <form class="entry" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        {fields.map((field) => <Field key={field.name} {...field} />)}
        {refusal && <p class="bad" role="alert">{refusal}</p>}
        <button type="submit" class="primary">Sign in</button>
      </form>
    </Panel>
  );
}

const textOf = (values: FormData, name: string): string => String(values.get(name) ?? '').trim();

export function SignInPage({enter, ended}: SignInProps) {
  return (
    <>
      {ended && <p class="failure" role="alert">Your sign-in has ended: the credential is not known or has expired.</p>}
      <div class="grid">
        <Entry title="With an account" note="administrators see all, others themselves"
          fields={[
            {name: 'username', type: 'text', autocomplete: 'username', label: 'User name or e-mail address'},
            {name: 'password', type: 'password', autocomplete: 'current-password', label: 'Password'},
          ]}
          enter={async (values) => enter(await logIn(textOf(values, 'username'), String(values.get('password') ?? '')))} />
        <Entry title="With a key" note="a service’s key, or the administrator’s token"
          fields={[{name: 'key', type: 'password', autocomplete: 'off', label: 'Key'}]}
          enter={(values) => enter({token: textOf(values, 'key'), issued: false})} />
      </div>
      <p class="note">The credential is kept in this tab alone, and goes with it.</p>
    </>
  );
}
