[% set seed = cookiecutter._plan.seeds.get("tests/load/http.js") %]
[% if seed %]
// A load test of the HTTP server, for k6: https://grafana.com/docs/k6/latest/
// Written by rustci where it was absent; yours from then on.
//
//   k6 run tests/load/http.js                             against a server that runs already
//   USERS=500 DURATION=120 k6 run tests/load/http.js
//
// Each user asks for one page a second, over a connection that stays open.

import { check, sleep } from "k6";
import http from "k6/http";

// --- The requests: make them those of your users. ------------------------------------------------

const PATHS = [__ENV.LOAD_PATH || [= seed.path =]];

// --- The load: what the environment sets. --------------------------------------------------------

const BASE_URL = __ENV.BASE_URL || [= seed.url =];
const USERS = Number(__ENV.USERS || 10);
const RAMP = Number(__ENV.RAMP || 10); // seconds until all users are there
const DURATION = Number(__ENV.DURATION || 20); // seconds with all of them

export const options = {
  scenarios: {
    users: {
      executor: "ramping-vus",
      stages: [
        { duration: `${RAMP}s`, target: USERS },
        { duration: `${DURATION}s`, target: USERS },
        { duration: "1s", target: 0 },
      ],
    },
  },
  // A failed threshold makes k6 end with an error. Those of time leave a shared runner room: many
  // times what a healthy server takes there. Narrow them once you know yours.
  thresholds: {
    // The TCP connection.
    http_req_connecting: ["p(95)<1000"],
    // From sending a request to the last byte of its answer.
    http_req_duration: ["p(95)<500"],
    // Requests without an answer, or with one of status 400 and above. There is no use in going on
    // where a tenth fails.
    http_req_failed: [
      "rate<0.01",
      { threshold: "rate<0.1", abortOnFail: true, delayAbortEval: "10s" },
    ],
    // A failed check alone fails nothing: this makes it count.
    checks: ["rate>0.99"],
  },
};

export default function () {
  for (const path of PATHS) {
    const answer = http.get(BASE_URL + path);
    check(answer, { "the status is 200": ({ status }) => status === 200 });
    sleep(1);
  }
}
[% endif %]
