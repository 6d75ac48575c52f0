/** A table as a bar chart in SVG: the median, with a line from the lowest to the highest value. */
import * as echarts from "echarts";
import type { Row, Table } from "./result.ts";

const width = 760;
const barHeight = 34;
const colours = { own: "#2f6f9f", rival: "#b9c4cc", line: "#333333" };

export function renderPlot(table: Table): string {
  const height = 90 + table.rows.length * barHeight;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(buildOption(table));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function buildOption(table: Table): echarts.EChartsOption {
  const rivals = new Set(table.rows.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio.rival])));
  const bars = table.rows.map(({ name, median }) => ({
    value: Number(median.toPrecision(3)),
    itemStyle: { color: rivals.has(name) ? colours.rival : colours.own },
  }));
  return {
    animation: false,
    title: { text: table.title, left: 10, top: 8, textStyle: { fontSize: 14 } },
    grid: { left: 10, right: 60, top: 44, bottom: 10, containLabel: true },
    xAxis: { type: "value", name: table.unit, nameLocation: "end", min: 0 },
    yAxis: { type: "category", inverse: true, data: table.rows.map(({ name }) => name) },
    series: [
      { type: "bar", data: bars, barMaxWidth: 20, label: { show: true, position: "insideLeft", color: "#ffffff" } },
      { type: "custom", data: table.rows.map(buildRange), renderItem: drawRange, encode: { x: [0, 1], y: 2 }, z: 3 },
    ],
  };
}

function buildRange(row: Row, index: number): number[] {
  return [Math.min(...row.values), Math.max(...row.values), index];
}

const drawRange: echarts.CustomSeriesRenderItem = (_, api) => {
  const [left, right] = [0, 1].map((column) => api.coord([api.value(column), api.value(2)]));
  const [x1 = 0, y1 = 0] = left ?? [];
  const [x2 = 0, y2 = 0] = right ?? [];
  return { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colours.line, lineWidth: 2 } };
};
