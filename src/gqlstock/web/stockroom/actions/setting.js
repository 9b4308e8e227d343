// Sets one setting: for an item, for one warehouse, or for what the item inherits from.

import { nodes } from '../client/paging.js';
import { ITEM_LEVELS } from '../documents/actions.js';
import { SETTINGS_OF_PLACE, SET_SETTING, WEBSITES } from '../documents/item.js';
import { ActionDialog } from '../elements/dialog.js';
import { local } from '../elements/field.js';
import { SETTINGS, valueOf, originOf } from '../pages/item/setting_words.js';

const STATUSES = [
  'IN_STOCK',
  'OUT_OF_STOCK',
  'DISCONTINUED',
  'IN_STOCK,OUT_OF_STOCK',
  'IN_STOCK,DISCONTINUED',
  'OUT_OF_STOCK,DISCONTINUED',
  'IN_STOCK,OUT_OF_STOCK,DISCONTINUED',
];

/**
 * Where the settings of an item of the document ITEM can be set, the nearest first: `[{ label, told, scope }]`. The dialog adds
 * the websites, their organizations, and the whole shop.
 */
export function placesOf({ sku, name, product, category }) {
  const places = [{ label: 'This item', phrase: name, scope: product ? { combination: sku } : { product: sku } }];
  if (product) {
    const label = `Each combination of ${product.name}`;
    places.push({ label, phrase: product.name, scope: { product: product.sku } });
  }
  const above = product ? product.category : category;
  if (above) {
    places.push(placeOf('category', above.name, { category: above.slug }));
  }
  return places;
}

/** The places that hold for many items, the nearest first. */
async function shopPlaces({ server }, signal) {
  const websites = await Array.fromAsync(nodes(server, WEBSITES, {}, signal));
  const organizations = new Map(websites.map(({ organization }) => [organization.code, organization]));
  return [
    ...websites.map(({ code, name }) => placeOf('website', name, { website: code })),
    ...[...organizations.values()].map(({ code, name }) => placeOf('organization', name, { organization: code })),
    { label: 'The whole shop', phrase: 'the whole shop', scope: { system: true } },
  ];
}

const placeOf = (kind, name, scope) => ({ label: `The ${kind} ${name}`, phrase: `the ${kind} ${name}`, scope });

const PATHS = ['product', 'combination', 'category', 'website', 'organization', 'level', 'level.sku'].map(
  (part) => `scope.${part}`,
);

/** Opens the dialog. `places`: as of `placesOf`. `signal` is aborted when the page is left. */
export async function openSetting(session, { item, name, places, signal }) {
  const { label, atLevel } = SETTINGS[name];
  const ofLevels = atLevel ? await levelPlaces(session, item, signal) : [];
  const all = [...places, ...(await shopPlaces(session, signal)), ...ofLevels];
  const requests = all.map(({ scope }) => session.server.ask(SETTINGS_OF_PLACE, { scope }, signal));
  const found = (await Promise.all(requests)).map(({ inventorySettings }) => inventorySettings);
  const own = ({ place }) => written(name, found[place].own[name] ?? null);
  const dialog = new ActionDialog(session, {
    title: label,
    about: `${item.name} · ${item.sku}`,
    send: 'Save',
    document: SET_SETTING,
    keyed: false,
    fields: [
      {
        name: 'place',
        label: 'For',
        type: 'choice',
        required: true,
        value: '0',
        paths: PATHS,
        options: all.map(({ label: words }, index) => ({
          value: String(index),
          label: `${words}: ${inEffect(name, found[index])}`,
        })),
      },
      { ...field(name), name: 'value', paths: [`settings.${name}`] },
    ],
    input: ({ place, value }) => ({ scope: all[place].scope, settings: { [name]: read(name, value) } }),
    preview: ({ place }) => `Now ${saying(name, found[place])}.`,
    done: ({ settings }) => {
      session.notices.show(`${label} for ${all[dialog.values.place].phrase}: ${saying(name, settings)}.`);
    },
  });
  const [place, value] = dialog.fields;
  const fill = () => (value.value = own(dialog.values));
  place.node.addEventListener('change', fill);
  fill();
  value.focus();
}

async function levelPlaces(session, { sku, name }, signal) {
  const levels = await Array.fromAsync(nodes(session.server, ITEM_LEVELS, { sku }, signal));
  return levels.map(({ warehouse }) => ({
    label: `${warehouse.name} alone`,
    phrase: `${name} in ${warehouse.name}`,
    scope: { level: { sku, warehouse: warehouse.code } },
  }));
}

function field(name) {
  const { type, values, hint } = SETTINGS[name];
  const inherit = { value: '', label: 'Inherited' };
  if (type === 'choice')
    return {
      label: 'Value',
      type,
      options: [inherit, ...Object.entries(values).map(([value, label]) => ({ value, label }))],
    };
  if (type === 'statuses') {
    const options = STATUSES.map((value) => ({ value, label: valueOf(name, value.split(',')) }));
    return { label: 'Value', type: 'choice', options: [inherit, ...options] };
  }
  const known = { whole: 'quantity', numbers: 'text' };
  return { label: 'Value', type: known[type] ?? type, hint: [hint, 'Empty: inherited.'].filter(Boolean).join(' ') };
}

/** A value as its field has it. */
function written(name, value) {
  const { type } = SETTINGS[name];
  if (value === null) return '';
  if (type === 'statuses')
    return (
      STATUSES.find(
        (one) => one.split(',').every((status) => value.includes(status)) && one.split(',').length === value.length,
      ) ?? ''
    );
  if (type === 'numbers') return value.join(', ');
  return type === 'date' ? local(value) : String(value);
}

/** A field's value as the API takes it. */
function read(name, value) {
  const { type, values } = SETTINGS[name];
  if (value === null) return null;
  if (type === 'statuses') return value.split(',');
  if (type === 'numbers') return value.split(/[\s,;]+/).filter(Boolean);
  if (type === 'whole') return Number(value);
  return values?.true ? value === 'true' : value;
}

/** A level inherits no alert: it is watched alone only with a figure of its own. */
const isWatched = (name, { scope, origins }) =>
  name !== 'notifyBelow' || scope !== 'LEVEL' || originIn(name, origins).scope === 'LEVEL';

const originIn = (name, origins) => origins.find(({ setting }) => setting === name);

const inEffect = (name, found) =>
  isWatched(name, found) ? valueOf(name, originIn(name, found.origins).value) : 'Never';

function saying(name, found) {
  if (!isWatched(name, found)) return 'never for this warehouse alone';
  const origin = originIn(name, found.origins);
  const from = originOf(origin);
  return `${valueOf(name, origin.value)}, ${from[0].toLowerCase()}${from.slice(1)}`;
}
