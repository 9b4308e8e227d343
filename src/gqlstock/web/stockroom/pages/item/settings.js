// The settings in effect for an item, where each comes from, and the button that changes it.

import { openSetting, placesOf } from '../../actions/setting.js';
import { started } from '../../actions/started.js';
import { SETTINGS_OF_PLACE } from '../../documents/item.js';
import { element } from '../../elements/element.js';
import { plural } from '../../elements/figures.js';
import { SETTINGS, originOf, valueOf } from './setting_words.js';

// Shown even while nothing is set: people look for them.
const ALWAYS = new Set(['notifyBelow', 'backorders', 'outOfStockThreshold']);

export class SettingsCard {
  #shown = null;

  constructor(session, { item, signal }) {
    Object.assign(this, { session, item, signal });
    this.mayChange = session.may('settings:write');
    this.body = element('div', { class: 'settings' });
    this.node = element(
      'section',
      { class: 'card settings-card', 'aria-labelledby': 'settings-title' },
      element('h2', { id: 'settings-title' }, 'Settings'),
      this.body,
    );
  }

  async read() {
    const { inventorySettings } = await this.session.server.ask(
      SETTINGS_OF_PLACE,
      { scope: placesOf(this.item)[0].scope },
      this.signal,
    );
    const text = JSON.stringify(inventorySettings);
    if (text === this.#shown) return;
    this.#shown = text;
    const origins = new Map(inventorySettings.origins.map((origin) => [origin.setting, origin]));
    const known = Object.keys(SETTINGS).map((name) => origins.get(name));
    const isShown = ({ setting, scope }) => ALWAYS.has(setting) || scope !== 'DEFAULT';
    const rest = known.filter((origin) => !isShown(origin));
    const open = this.body.querySelector('details')?.open ?? false;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.ariaLabel : null;
    this.body.replaceChildren(
      this.#table('Settings in effect', known.filter(isShown)),
      element(
        'details',
        { open },
        element('summary', {}, `${plural(rest.length, 'other setting')}, not set`),
        this.#table('Other settings', rest),
      ),
    );
    if (focused) this.body.querySelector(`[aria-label='${focused}']`)?.focus();
  }

  #table(label, origins) {
    const { item, signal } = this;
    const rows = origins.map((origin) => {
      const { setting: name, value } = origin;
      const { label: words } = SETTINGS[name];
      const open = () =>
        started(this.session, () => openSetting(this.session, { item, name, places: placesOf(item), signal }), signal);
      const button = element(
        'button',
        { type: 'button', class: 'item', 'aria-label': `Change: ${words}`, click: open },
        'Change…',
      );
      const from =
        origin.scope === 'DEFAULT' ? null : element('span', { class: 'quiet' }, originOf(origin, item.sku));
      return element(
        'tr',
        {},
        element('th', { scope: 'row' }, words),
        element('td', {}, valueOf(name, value), from),
        this.mayChange ? element('td', { class: 'figure' }, button) : null,
      );
    });
    return element('table', { 'aria-label': label }, element('tbody', {}, ...rows));
  }
}
