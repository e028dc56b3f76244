// Thresholds as the wire sends them, levels of the whole board, notices of the rail, windows.
import { describe, expect, it } from "vitest";
import { centre } from "../e2e/centre";
import { notices } from "../src/lib/alerts";
import * as board from "../src/lib/board";
import { abandonment, listsBehind, windowOr, windowsOf } from "../src/lib/figures";
import { inOrder } from "../src/lib/formats";
import { judge } from "../src/lib/judge";
import {
  centreServiceRule,
  centreTarget,
  centreWaitingRule,
  level,
  Levels,
  longestWaitRule,
  met,
  seconds,
  serviceRule,
  waitingRule,
} from "../src/lib/levels";
import type { Queue, Thresholds, Wallboard } from "../src/lib/wire";

const NOW = Date.parse("2026-03-02T09:42:18Z");
const data = (): Wallboard => centre(NOW);
const queue = (thresholds: Thresholds | undefined): Queue => {
  const { thresholds: _, ...rest } = data().queues.cuantias as Queue;
  return thresholds === undefined ? rest : { ...rest, thresholds };
};
const judged = (d: Wallboard, levels = new Levels(), mono = 0) =>
  judge(d, levels, { now: NOW, mono }, "today");

it("reads durations as configured", () => {
  const read = ["2m", "90s", "1h", "1.5s", "500ms", "1d", "", "2 m", "m"].map(seconds);
  expect(read).toEqual([120, 90, 3600, 1.5, 0.5, 86_400, null, null, null]);
});

describe("thresholds", () => {
  it("are the wire's, each part as far as it is there", () => {
    const q = queue({ longest_wait: { warning: "2m" }, waiting: { critical: 20 } });
    expect(longestWaitRule(q)).toEqual({ better: "low", warning: 120, critical: null });
    expect(waitingRule(q)).toEqual({ better: "low", warning: null, critical: 20 });
    expect(serviceRule(q)).toBeNull();
    expect(level(1e6, longestWaitRule(q))).toBe("warning");
    expect(longestWaitRule(queue({}))).toBeNull();
  });

  it("are the page's own where the server sends none", () => {
    expect(longestWaitRule(queue(undefined))?.critical).toBe(240);
    expect(serviceRule(queue(undefined))?.warning).toBeCloseTo(0.75);
    expect(waitingRule(queue(undefined))).toBeNull();
  });

  it("of the centre are the queues' added up, if each has them", () => {
    const d = data();
    expect(centreWaitingRule(d)).toMatchObject({ warning: 100, critical: 200 });
    d.queues.cuantias = queue({});
    expect(centreWaitingRule(d)).toMatchObject({ warning: 25, critical: 40 });
  });

  it("of service follow the target that the queues share", () => {
    const d = data();
    expect(centreTarget(d)).toEqual({ share: 0.8, within: "20s" });
    d.queues.cuantias = { ...queue({}), target: { share: 0.8, within: "30s" } };
    expect(centreTarget(d)).toEqual({ share: 0.8, within: null });
    d.queues.cuantias = { ...queue({}), target: { share: 0.9, within: "20s" } };
    expect(centreTarget(d)).toEqual({ share: 0.8, within: null });
    expect(centreServiceRule(d).target).toBe(0.8);
  });

  it("tell what is met from what is not measured", () => {
    const rule = { better: "low", target: 20, warning: 25, critical: 40 } as const;
    expect([20, 21, null].map((x) => met(x, rule))).toEqual([true, false, null]);
    expect(met(1, { better: "high", warning: 2, critical: 1 })).toBeNull();
  });
});

describe("the board judged", () => {
  it("has the worst of a queue's three, and each agent's", () => {
    const v = judged(data());
    expect(v.queues.get("tramites_pensiones")?.level).toBe("critical");
    expect(v.queues.get("asistencia_sanitaria")?.level).toBe("warning");
    expect(v.queues.get("cuantias")?.level).toBe("target");
    expect(v.agents.get("agent.029")).toBe("critical");
    expect(v.agents.get("agent.031")).toBe("target");
    expect(v.strip.wait.level).toBe("critical");
  });

  it("raises nothing where the threshold went, and forgets what is gone", () => {
    const levels = new Levels();
    const d = data();
    judged(d, levels);
    const calm = { ...d, queues: { ...d.queues } };
    calm.queues.tramites_pensiones = { ...queue({}), waiting: 0 };
    expect(judged(calm, levels, 1).queues.get("tramites_pensiones")?.level).toBe("target");
    Reflect.deleteProperty(calm.queues, "tramites_pensiones");
    expect(judged(calm, levels, 2).queues.has("tramites_pensiones")).toBe(false);
  });
});

describe("notices", () => {
  it("are the server's and the queues', the worst first", () => {
    const d = data();
    const list = notices(d, judged(d), NOW);
    expect(list.map((n) => n.level)).toEqual([...list.map((n) => n.level)].sort());
    expect(list[0]).toMatchObject({ subject: d.agents["agent.083"]?.name, agent: "agent.083" });
    expect(list.find((n) => n.id === "tramites_pensiones/wait")).toMatchObject({
      key: "alert.over_wait",
      age: 12,
      params: { limit: 240 },
    });
  });

  it("say the server's own words of a rule that has none here", () => {
    const d = data();
    const sent = { id: "x", severity: "info", rule: "new", text: "as sent", at: "", subject: {} };
    d.alerts = [sent];
    const found = notices(d, judged(d), NOW).find((n) => n.id === "x");
    expect(found).toMatchObject({ key: null, text: "as sent", level: "info", subject: "new" });
  });
});

describe("windows", () => {
  it("are those that the server carries", () => {
    const { totals } = data();
    expect(windowsOf(totals)).toEqual(["15m", "1h", "today"]);
    expect(abandonment(totals, "15m")).not.toBeUndefined();
    const older = Object.fromEntries(
      Object.entries(totals).filter(([name]) => !/_(15m|1h)$/.test(name)),
    ) as unknown as typeof totals;
    expect(windowsOf(older)).toEqual(["today"]);
    expect(windowOr(older, "1h")).toBe("today");
    expect(abandonment(older, "1h")).toBeUndefined();
  });

  it("name the lists behind each figure as the contract does", () => {
    expect(listsBehind("longest_wait", "1h")).toEqual(["waiting"]);
    expect(listsBehind("service_level", "1h")[0]).toBe("answered_1h");
    expect(listsBehind("refused", "15m")).toEqual(["refused_15m"]);
    expect(listsBehind("ready", "1h")).toEqual([]);
  });
});

it("has everybody of the roster in the teams, those away as signed out", () => {
  const d = data();
  const who = { id: "z", name: "Zoe", team: "night-1", level: 1, state: "", reason: null, since: null };
  const known = { ...who, id: "agent.001", team: "elsewhere" };
  const teams = board.teams(d, inOrder("es"), [who, known]);
  const night = teams.find((t) => t.id === "night-1");
  expect(night).toMatchObject({ signedIn: 0, rows: [{ agent: { state: "signed_out" } }] });
  expect(teams.some((t) => t.id === "elsewhere")).toBe(false);
  expect(board.shortName({ ...queue({}), short_name: "Cuan" })).toBe("Cuantías");
  expect(board.shortName({ ...queue({}), short_name: "Importes" })).toBe("Importes");
  const long = { ...queue({}), name: "Cuantías de las prestaciones", short_name: "Cuantías" };
  expect(board.shortName(long)).toBe("Cuantías");
});
