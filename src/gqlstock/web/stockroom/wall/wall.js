// Assembles the wall display: the parts that the token may see.

import { listen } from '../client/news.js';
import { start } from '../client/session.js';
import { ALERT_NEWS, ORDER_NEWS } from '../documents/session.js';
import * as scheme from '../elements/scheme.js';
import { Alerts } from './alerts.js';
import { History } from './history.js';
import { Levels } from './levels.js';
import { OnItsWay } from './on_its_way.js';
import { Orders } from './orders.js';
import { RunningOut } from './running_out.js';

// The parts of the page in their initial state.
const BLANK = [...document.querySelectorAll('.parts, dialog')].map((part) => [part, part.cloneNode(true)]);

scheme.start();
start({ open, clear });

function clear() {
  for (const one of BLANK) {
    const [shown, blank] = one;
    one[0] = blank.cloneNode(true);
    shown.replaceWith(one[0]);
  }
}

function open({ server, may }) {
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
  const parts = [alerts, onItsWay, ...(orders ? [orders] : [])];
  parts.forEach((part) => part.ask());
  // This reads all items, so it waits until the rest is shown.
  levels.shown.then(() => runningOut.ask());
  server.connection.addEventListener('back', () => [...parts, runningOut].forEach((part) => part.ask()));
  const low = () => {
    alerts.ask();
    levels.askLow();
  };
  return Promise.all([
    levels.askWarehouses(),
    levels.ask(),
    listen(server, 'alerts', ALERT_NEWS, low),
    orders ? listen(server, 'orders', ORDER_NEWS, () => [orders, onItsWay].forEach((part) => part.ask())) : null,
  ]);
}
