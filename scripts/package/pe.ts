/** Puts the blob and the version block into node.exe as resources; the signature of the original file goes. */
import { NtExecutable, NtExecutableResource, Resource } from "resedit";
import type { ProductInfo } from "./versions.ts";

const rawData = 10; // RT_RCDATA
const neutral = 0;
const english = 1033;
const unicode = 1200;

/** @returns the new program's bytes, unsigned */
export function addResources(binary: Buffer, blob: { name: string; content: Buffer }, product: ProductInfo): Buffer {
  const executable = NtExecutable.from(binary, { ignoreCert: true });
  const resources = NtExecutableResource.from(executable);
  // A copy: a Buffer can be a view into a larger pool.
  const bin = new Uint8Array(blob.content).buffer;
  resources.replaceResourceEntry({ type: rawData, id: blob.name, lang: neutral, codepage: unicode, bin });
  setVersion(resources, product);
  resources.outputResource(executable);
  return Buffer.from(executable.generate());
}

function setVersion(resources: NtExecutableResource, product: ProductInfo): void {
  const [info] = Resource.VersionInfo.fromEntries(resources.entries);
  if (info === undefined) throw new Error("node.exe has no version block");
  const [major = 0, minor = 0, patch = 0] = product.version.split(/[.-]/).map(Number);
  const language = info.getAllLanguagesForStringValues()[0] ?? { lang: english, codepage: unicode };
  info.removeAllStringValues(language);
  info.setFileVersion(major, minor, patch, 0, language.lang);
  info.setProductVersion(major, minor, patch, 0, language.lang);
  info.setStringValues(language, {
    ProductName: product.name,
    FileDescription: product.description,
    InternalName: product.name,
    OriginalFilename: `${product.name}.exe`,
    FileVersion: product.version,
    ProductVersion: product.version,
  });
  info.outputToResourceEntries(resources.entries);
}
