// Creates elements. All content is inserted as text: nothing that the server sends becomes markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element with attributes. Children that are not elements become text; null children are skipped. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

/** The placeholder of an empty list. */
export function sentence(text) {
  return element('p', { class: 'sentence' }, text);
}

/**
 * Shows texts and nodes in a status, which is hidden without any. Leaves what is there if it is the same: screen readers read
 * each insertion, and a link may have the focus.
 */
export function say(status, ...parts) {
  const wanted = status.cloneNode();
  wanted.append(...parts);
  wanted.hidden = !parts.length;
  if (wanted.isEqualNode(status)) return;
  status.replaceChildren(...wanted.childNodes);
  status.hidden = !parts.length;
}

/** Makes a list show these nodes in this order. Leaves nodes that stay untouched: one may have the focus. */
export function arrange(list, nodes) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(nodes);
  for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  // A node that was moved up has lost it.
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

const MOST_LIT = 8;
const LIT_FOR = 1_600;
let lit = 0;

/** Highlights a node that has changed, for a moment. Where much changes at once, only some of it. */
export function light(node) {
  if (lit >= MOST_LIT || node.classList.contains('changed')) return;
  lit += 1;
  node.classList.add('changed');
  setTimeout(() => {
    lit -= 1;
    node.classList.remove('changed');
  }, LIT_FOR);
}

/** A state as words and a distinct shape, because color alone is not accessible. */
export function mark(state, words) {
  const shape = drawing('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, drawing('path', { d: SHAPES[state] }));
  return element('span', { class: 'mark', 'data-state': state }, shape, words);
}

const SHAPES = {
  low: 'M6 1 L11.5 11 H0.5 Z',
  out: 'M1 1 H11 V11 H1 Z',
  enough: 'M6 4.5 A1.5 1.5 0 1 1 6 7.5 A1.5 1.5 0 1 1 6 4.5 Z',
  uncounted: 'M1 5.25 H11 V6.75 H1 Z',
  taken: 'M6 0.5 A5.5 5.5 0 1 1 6 11.5 A5.5 5.5 0 1 1 6 0.5 Z M6 3 A3 3 0 1 0 6 9 A3 3 0 1 0 6 3 Z',
  resolved: 'M1 6.5 L2.5 5 L5 7.5 L9.5 2.5 L11 4 L5 10.5 Z',
};
