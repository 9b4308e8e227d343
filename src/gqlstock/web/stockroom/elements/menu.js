// A button that opens a list of actions. The list is one element for all buttons, filled when it is opened.

import { element } from './element.js';

const list = element('div', { class: 'menu', popover: 'auto', role: 'menu' });
let opener = null;

list.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Tab') list.hidePopover();
  if (!step) return;
  event.preventDefault();
  const items = [...list.children];
  const next = items.indexOf(document.activeElement) + step;
  items.at(next % items.length).focus();
});

/** A menu button. `actions()` returns `[{ label, run }]` when it is opened; `label` names the button. */
export function menuButton(label, actions) {
  const click = ({ currentTarget }) => {
    if (opener === currentTarget && list.matches(':popover-open')) list.hidePopover();
    else open(currentTarget, label, actions());
  };
  // Without this, the press closes the list and the click opens it again.
  const pointerdown = (event) =>
    opener === event.currentTarget && list.matches(':popover-open') && event.preventDefault();
  return element(
    'button',
    { type: 'button', class: 'more', 'aria-label': label, 'aria-haspopup': 'menu', click, pointerdown },
    '⋯',
  );
}

function open(button, label, actions) {
  opener = button;
  document.body.append(list);
  list.setAttribute('aria-label', label);
  list.replaceChildren(...actions.map((action) => item(action)));
  list.showPopover();
  const { top, bottom, right } = button.getBoundingClientRect();
  const below = bottom + list.offsetHeight < innerHeight;
  list.style.top = `${below ? bottom : Math.max(top - list.offsetHeight, 0)}px`;
  list.style.left = `${Math.max(right - list.offsetWidth, 0)}px`;
  list.firstElementChild.focus();
}

function item({ label, run }) {
  const click = () => {
    list.hidePopover();
    // A dialog gives the focus back to where it was.
    opener.focus();
    run();
  };
  return element('button', { type: 'button', role: 'menuitem', click }, label);
}
