import { spawnSync } from 'node:child_process';
import { eventually, type WindowsClinic } from './windows-clinic.ts';

/** Of visits whose answer is a qualification, one file each. */
const withFile = new Set(['eligible']);

/**
 * Every file for the レセコン against the journal: one for each visit that has an answer, readable by a strict reader of
 * others, in the encoding that it names, with no half of one beside it.
 */
export const wrongFiles = async (clinic: WindowsClinic): Promise<{ files: number; wrong: string[] }> => {
  const wanted = (): number =>
    clinic.rows().filter(({ verdict, outcome }) => verdict === 'accepted' && withFile.has(outcome ?? '')).length;
  const wrong: string[] = [];
  await eventually(
    'the files',
    () => (clinic.files('face').filter((name) => name.endsWith('.xml')).length >= wanted() ? true : undefined),
    30_000,
  ).catch(() => wrong.push(`${clinic.files('face').length} files for ${wanted()} visits`));
  const names = clinic.files('face');
  if (names.length !== wanted()) wrong.push(`${names.length} files in face, ${wanted()} visits`);
  for (const name of names) {
    if (!/^OQSsiquc01res_face_[\w-]+\.xml$/.test(name)) wrong.push(`face/${name}: not a name of such a file`);
    const bytes = clinic.read('face', name);
    const strict = spawnSync('xmllint', ['--noout', '-'], { input: bytes, encoding: 'utf8' });
    if (strict.status !== 0) wrong.push(`face/${name}: ${strict.error?.message ?? strict.stderr}`);
    const text = new TextDecoder(/encoding="Shift_JIS"/.test(bytes.toString('latin1')) ? 'shift_jis' : 'utf-8', {
      fatal: true,
    }).decode(bytes);
    for (const needed of ['<QualificationValidity>', '<ReferenceNumber>', '<MedicalInstitutionCode>1310000001<'])
      if (!text.includes(needed)) wrong.push(`face/${name}: no ${needed}`);
  }
  for (const name of clinic.files('res')) {
    const strict = spawnSync('xmllint', ['--noout', '-'], { input: clinic.read('res', name), encoding: 'utf8' });
    if (strict.status !== 0) wrong.push(`res/${name}: ${strict.error?.message ?? strict.stderr}`);
  }
  for (const name of clinic.files('req')) wrong.push(`req/${name}: a question without an answer`);
  return { files: names.length + clinic.files('res').length, wrong };
};
