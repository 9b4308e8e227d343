// Asks a server everything that graphql-http asks of one that keeps to the specification of GraphQL over HTTP.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  const told = { id: audit.id, name: audit.name, status: result.status };
  if (result.status !== 'ok') {
    told.reason = result.reason;
    told.answer = `${result.response.status} ${await result.response.clone().text().catch(() => '')}`;
  }
  console.log(JSON.stringify(told));
}
