/** Memory and state of a soak over its calls, as SVG. */
import * as echarts from "echarts";
import type { Sample } from "./samples.ts";

const size = { width: 760, height: 300 };
const colours = { memory: "#2f6f9f", state: "#c0703a" };

export function renderSoakPlot(samples: readonly Sample[]): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
  const line = (name: string, color: string, read: (sample: Sample) => number, yAxisIndex: number): echarts.LineSeriesOption => ({
    type: "line",
    name,
    yAxisIndex,
    showSymbol: false,
    lineStyle: { color, width: 2 },
    itemStyle: { color },
    data: samples.map((sample) => [sample.calls, Number(read(sample).toFixed(2))]),
  });
  try {
    chart.setOption({
      animation: false,
      legend: { top: 8 },
      grid: { left: 10, right: 40, top: 60, bottom: 20, containLabel: true },
      xAxis: { type: "value", name: "calls", max: "dataMax" },
      yAxis: [
        { type: "value", name: "RSS, MB", min: 0 },
        { type: "value", name: "state.db, MB", min: 0, splitLine: { show: false } },
      ],
      series: [
        line("agent's memory", colours.memory, ({ rssMb }) => rssMb, 0),
        line("state.db", colours.state, ({ stateKb }) => stateKb / 1024, 1),
      ],
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
