import { describeHalf } from "./in-process.ts";

describeHalf("second");
