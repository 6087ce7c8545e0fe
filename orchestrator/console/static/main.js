// The page: parts are set up, then the session and the socket are asked for.

import * as actions from "./actions.js";
import * as alerts from "./alerts.js";
import { fetchSession } from "./api.js";
import * as bar from "./bar.js";
import * as contract from "./contract.js";
import * as devices from "./devices.js";
import * as journal from "./journal.js";
import { askWho } from "./login.js";
import * as needs from "./needs.js";
import * as people from "./people.js";
import * as plots from "./plots.js";
import * as progress from "./progress.js";
import * as samples from "./samples.js";
import * as search from "./search.js";
import { open, start } from "./socket.js";
import * as why from "./why.js";

for (const part of [bar, needs, actions, progress, why, search, samples, devices, contract, alerts, journal, people, plots]) part.mount();

const login = () => askWho(open);

async function enter() {
  try {
    await fetchSession();
  } catch (refusal) {
    if (refusal.status === 401) login(); // the socket, which is refused, asks again if it is not this
  }
}

enter();
start(login);
