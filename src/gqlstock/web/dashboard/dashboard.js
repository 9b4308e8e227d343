// Assembles the dashboard: asks for a token, then shows the parts it may see until the user signs out or it is refused.

import { Alerts } from './alerts.js';
import { Connection } from './connection.js';
import { ALERT_NEWS, ORDER_NEWS, VIEWER } from './documents.js';
import { Server, Told } from './graphql.js';
import { History } from './history.js';
import { Levels } from './levels.js';
import { listen } from './news.js';
import { OnItsWay } from './on_its_way.js';
import { Orders } from './orders.js';
import { RunningOut } from './running_out.js';
import * as scheme from './scheme.js';
import * as tokens from './token.js';

const page = document.body;
// The parts of the page in their initial state.
const BLANK = [...document.querySelectorAll('.parts, dialog')].map((part) => [part, part.cloneNode(true)]);
const form = document.getElementById('entrance-form');
const field = document.getElementById('entrance-token');
const why = document.getElementById('entrance-why');
let session = new AbortController();

scheme.start();
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!field.value.trim()) return leave('Paste a token first.');
  tokens.keep(field.value);
  enter();
});
document.getElementById('sign-out').addEventListener('click', () => leave('You are signed out in this window.'));
window.addEventListener('hashchange', () => tokens.isBrought() && enter());
enter();

function enter() {
  const token = tokens.current();
  if (token) show(token);
  else leave('');
}

/** Returns to the form and shows why. Removes everything that was shown. */
function leave(sentence) {
  session.abort();
  tokens.forget();
  clear();
  page.dataset.view = 'entrance';
  document.title = 'Stock · gqlstock';
  field.value = '';
  why.textContent = sentence;
  field.focus();
}

function clear() {
  for (const one of BLANK) {
    const [shown, blank] = one;
    one[0] = blank.cloneNode(true);
    shown.replaceWith(one[0]);
  }
}

async function show(token) {
  session.abort();
  session = new AbortController();
  clear();
  const { signal } = session;
  page.dataset.view = 'dashboard';
  const connection = new Connection(document.getElementById('status'), signal);
  const server = new Server({ token, connection, signal, refused: (sentence) => signal.aborted || leave(sentence) });
  try {
    const { viewer } = await server.ask(VIEWER);
    document.getElementById('viewer').textContent = viewer.name;
    const may = (scope) => viewer.scopes.includes(scope) || viewer.scopes.includes('admin');
    if (!may('inventory:read')) return leave('This token may not see stock: it lacks the scope inventory:read.');
    await Promise.all(parts(server, may));
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Told)) throw error;
    leave(error.message);
  }
}

function parts(server, may) {
  const seesOrders = may('orders:read');
  const history = new History(server, { orders: seesOrders });
  const open = (item) => history.open(item);
  const alerts = new Alerts(server, { open, mayAcknowledge: may('inventory:write') });
  const levels = new Levels(server, { open });
  const runningOut = new RunningOut(server, { open });
  const onItsWay = new OnItsWay(server, { open });
  document.getElementById('orders-shown').hidden = !seesOrders;
  document.getElementById('orders-scope').hidden = seesOrders;
  const orders = seesOrders ? new Orders(server) : null;
  const asked = [alerts, onItsWay, ...(orders ? [orders] : [])];
  asked.forEach((part) => part.ask());
  // This reads all items, so it waits until the rest is shown.
  levels.shown.then(() => runningOut.ask());
  server.connection.addEventListener('back', () => [...asked, runningOut].forEach((part) => part.ask()));
  const low = () => {
    alerts.ask();
    levels.askLow();
  };
  return [
    levels.askWarehouses(),
    levels.ask(),
    listen(server, 'alerts', ALERT_NEWS, low),
    orders ? listen(server, 'orders', ORDER_NEWS, () => [orders, onItsWay].forEach((part) => part.ask())) : null,
  ];
}
