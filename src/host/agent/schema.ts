import { Ajv } from "ajv";

/** What does not fit a JSON schema. */
export interface SchemaFault {
  /** The keys on the way to the value. */
  readonly path: readonly string[];
  /** The key that the schema does not know; undefined for a fault of the value itself. */
  readonly unknownKey: string | undefined;
  readonly value: unknown;
  readonly message: string;
}

/** Fills the schema's defaults into the document and gives every fault. */
export function checkSchema(schema: object, document: unknown): SchemaFault[] {
  const validate = new Ajv({ allErrors: true, useDefaults: true }).compile(schema);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(({ instancePath, keyword, params, message }) => {
    const path = instancePath.split("/").slice(1);
    // Shapes of ajv's parameters, by keyword.
    const { additionalProperty, allowedValues } = params as { additionalProperty?: unknown; allowedValues?: unknown };
    const value = path.reduce<unknown>((at, step) => (typeof at === "object" && at !== null ? Reflect.get(at, step) : undefined), document);
    const what = Array.isArray(allowedValues) ? `must be one of ${allowedValues.join(", ")}` : (message ?? `fails ${keyword}`);
    return { path, unknownKey: typeof additionalProperty === "string" ? additionalProperty : undefined, value, message: what };
  });
}
