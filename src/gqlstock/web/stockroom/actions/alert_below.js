// Sets when staff is alerted about an item: at the item, at the product of a combination, or at one warehouse alone.

import { nodes } from '../client/paging.js';
import { ITEM_SETTINGS, LEVEL_SETTINGS, SET_SETTINGS } from '../documents/item_settings.js';
import { ActionDialog } from '../elements/dialog.js';
import { number } from '../elements/figures.js';

const INHERITED = 'inherited';
const OWN = 'own';

const fits = ({ tracking }) => tracking !== 'DO_NOT_TRACK';

export const alertBelow = { label: 'Alert below…', scope: 'settings:write', fits, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item) {
  const [{ inventoryItem }, levels] = await Promise.all([
    session.server.ask(ITEM_SETTINGS, { sku: item.sku }),
    Array.fromAsync(nodes(session.server, LEVEL_SETTINGS, { sku: item.sku })),
  ]);
  const places = placesOf(item, inventoryItem, levels);
  const chosen = ({ place }) => places[Number(place)];
  const dialog = new ActionDialog(session, {
    title: 'Alert below',
    about: `${item.name} · ${item.sku}`,
    send: 'Save',
    document: SET_SETTINGS,
    keyed: false,
    fields: [
      {
        name: 'place',
        label: 'For',
        type: 'choice',
        options: places.map(({ label }, index) => ({ value: String(index), label })),
        value: '0',
        required: true,
        paths: ['scope.product', 'scope.combination', 'scope.level', 'scope.level.sku', 'scope.level.warehouse'],
      },
      { name: 'from', label: 'Alert', type: 'choice', required: true, ...sourceOf(places[0]) },
      {
        name: 'figure',
        label: 'Figure',
        type: 'quantity',
        hint: 'There is an alert when fewer are available.',
        value: ownFigure(places[0]),
        required: true,
        paths: ['settings.notifyBelow'],
        shown: ({ from }) => from === OWN,
      },
    ],
    input: (values) => ({
      scope: chosen(values).scope,
      settings: { notifyBelow: values.from === OWN ? values.figure : null },
    }),
    preview: (values) => `Now ${sayingOf(chosen(values))}.`,
    done: ({ settings }) => {
      const place = chosen(dialog.values);
      session.notices.show(`${place.name}: ${sayingOf({ ...place, origin: originOf(settings.origins) })}.`);
    },
  });
  const choose = () => {
    const place = chosen(dialog.values);
    Object.assign(dialog.field('from'), sourceOf(place));
    dialog.field('figure').value = ownFigure(place);
  };
  dialog.field('place').node.addEventListener('input', choose);
}

/** Where the figure of a place may come from, and where it does. */
const sourceOf = ({ inherited, isOwn }) => ({
  options: [
    { value: INHERITED, label: inherited },
    { value: OWN, label: 'Below a figure of its own' },
  ],
  value: isOwn ? OWN : INHERITED,
});

const ownFigure = ({ isOwn, origin }) => (isOwn ? String(origin.value) : '');

/** Where a figure can be set: `{ name, label, scope, origin, isOwn, inherited }`. */
function placesOf(item, { settingOrigins, product }, levels) {
  const hasOwnLevels = levels.length > 0;
  const whole = product
    ? { kind: 'COMBINATION', scope: { combination: item.sku }, inherited: `Inherited from ${product.name}` }
    : { kind: 'PRODUCT', scope: { product: item.sku }, inherited: 'Inherited from its category or the shop' };
  const places = [
    place({ ...whole, name: item.name, words: hasOwnLevels ? 'All warehouses together' : item.name }, settingOrigins),
  ];
  if (product) {
    const words = `Each combination of ${product.name}`;
    const scope = { product: product.sku };
    const inherited = 'Inherited from its category or the shop';
    places.push(place({ kind: 'PRODUCT', scope, inherited, name: product.name, words }, product.settingOrigins));
  }
  return [...places, ...levels.map((level) => ofLevel(item, level))];
}

/** A warehouse is watched alone only if it has a figure of its own. */
function ofLevel(item, { warehouse, settingOrigins }) {
  const scope = { level: { sku: item.sku, warehouse: warehouse.code } };
  const inherited = 'None for this warehouse alone';
  const names = { name: `${item.name} in ${warehouse.name}`, words: `${warehouse.name} alone` };
  return place({ kind: 'LEVEL', scope, inherited, ...names }, settingOrigins);
}

function place({ words, inherited, ...rest }, origins) {
  const made = { ...rest, origin: originOf(origins) };
  const isOwn = made.origin.scope === made.kind;
  const known = isOwn || made.kind === 'LEVEL' ? inherited : `Inherited: ${figureOf(made)}`;
  return { ...made, isOwn, inherited: known, label: `${words}: ${figureOf(made)}` };
}

const originOf = (origins) => origins.find(({ setting }) => setting === 'notifyBelow');

const ORIGINS = {
  LEVEL: () => 'set for this warehouse',
  COMBINATION: () => 'set for this combination',
  PRODUCT: () => 'set for the product',
  CATEGORY: (owner) => `set for the category ${owner}`,
  WEBSITE: (owner) => `set for the website ${owner}`,
  ORGANIZATION: (owner) => `set for the organization ${owner}`,
  SYSTEM: () => 'set for all items',
};

const isSet = ({ kind, origin }) => origin.value !== null && (kind !== 'LEVEL' || origin.scope === 'LEVEL');

const figureOf = (at) => (isSet(at) ? `below ${number(at.origin.value)}` : 'none');

function sayingOf(at) {
  if (!isSet(at)) return at.kind === 'LEVEL' ? 'no alert for this warehouse alone' : 'no alert';
  return `an alert below ${number(at.origin.value)} available, ${ORIGINS[at.origin.scope](at.origin.owner)}`;
}
