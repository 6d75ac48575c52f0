/** Resources of the Windows programs: the blob in node.exe, and the version block of each program that is shipped. */
import { NtExecutable, NtExecutableResource, Resource } from "resedit";
import type { ProductInfo } from "./versions.ts";

const rawData = 10; // RT_RCDATA
const neutral = 0;
const english = 1033;
const unicode = 1200;

/** @returns the new program's bytes, unsigned: the signature of node.exe goes */
export function addResources(binary: Buffer, blob: { name: string; content: Buffer }, product: ProductInfo): Buffer {
  const executable = NtExecutable.from(binary, { ignoreCert: true });
  const resources = NtExecutableResource.from(executable);
  // A copy: a Buffer can be a view into a larger pool.
  const bin = new Uint8Array(blob.content).buffer;
  resources.replaceResourceEntry({ type: rawData, id: blob.name, lang: neutral, codepage: unicode, bin });
  setVersion(resources, product, product.name);
  resources.outputResource(executable);
  return Buffer.from(executable.generate());
}

/** @returns the same program with a version block, unsigned; `program` is its name without .exe */
export function addVersion(binary: Uint8Array, product: ProductInfo, program: string): Buffer {
  const executable = NtExecutable.from(binary);
  const resources = NtExecutableResource.from(executable);
  setVersion(resources, product, program);
  resources.outputResource(executable);
  return Buffer.from(executable.generate());
}

/** What Windows shows in a file's properties and what installers compare; the numbers are those of package.json. */
function setVersion(resources: NtExecutableResource, product: ProductInfo, program: string): void {
  const info = Resource.VersionInfo.fromEntries(resources.entries)[0] ?? createBlock();
  const [major = 0, minor = 0, patch = 0] = product.version.split(/[.-]/).map(Number);
  const language = info.getAllLanguagesForStringValues()[0] ?? { lang: english, codepage: unicode };
  info.removeAllStringValues(language);
  info.setFileVersion(major, minor, patch, 0, language.lang);
  info.setProductVersion(major, minor, patch, 0, language.lang);
  info.setStringValues(language, {
    ProductName: product.name,
    FileDescription: product.description,
    InternalName: program,
    OriginalFilename: `${program}.exe`,
    FileVersion: product.version,
    ProductVersion: product.version,
  });
  info.outputToResourceEntries(resources.entries);
}

/** For a program that has none: an application for Windows NT (winver.h). */
function createBlock(): Resource.VersionInfo {
  const strings = [{ lang: english, codepage: unicode, values: {} }];
  return Resource.VersionInfo.create(english, { fileOS: 0x40004, fileType: 1, fileFlagsMask: 0x3f }, strings);
}
