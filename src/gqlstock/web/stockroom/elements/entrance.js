// The form that asks for a token.

import { element } from './element.js';

/** Puts the form into `place`. `signIn` is called with the token that was given. */
export function entrance(place, signIn) {
  const why = element('p', { id: 'entrance-why', role: 'alert' });
  const field = element('input', {
    id: 'entrance-token',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'entrance-how',
  });
  const submit = (event) => {
    event.preventDefault();
    if (field.value.trim()) return signIn(field.value);
    why.textContent = 'Paste a token first.';
    field.focus();
  };
  place.append(
    element('h2', { id: 'entrance-title' }, 'Sign in'),
    element(
      'form',
      { submit },
      why,
      element('label', { for: 'entrance-token' }, 'Token'),
      field,
      element('p', { id: 'entrance-how', class: 'quiet' }, ...HOW),
      element('button', { class: 'first', type: 'submit' }, 'Show the stock'),
    ),
  );
  return {
    /** Empties the form and says why it is shown. */
    show(sentence) {
      field.value = '';
      why.textContent = sentence;
      field.focus();
    },
  };
}

const code = (text) => element('code', {}, text);
const HOW = [
  'Whoever runs the server makes one for you. This prints a link that signs you in once: ',
  code('gqlstock token create NAME --scope inventory:read --link'),
  '. Without ',
  code('--link'),
  ', it prints the token. Add ',
  code('--scope orders:read'),
  ' to see orders, ',
  code('--scope orders:write'),
  ' to pack and ship them, and ',
  code('--scope inventory:write'),
  ' to change stock. This window keeps the token until it is closed.',
];
