// What every page has to be: readable in light and dark, on a desk and on a phone, for eyes, keyboards and screen readers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const NOT_TOLERATED = ['serious', 'critical'];
const HEIGHT = 800;
const WIDTHS = [1280, 360, 320];
/** Whatever axe finds depends on neither at 320 that does not at 360. */
const LOOKS = [1280, 360].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));

async function violations(page) {
  // Evaluated by the debugger, which no policy of the page stops.
  await page.evaluate(AXE);
  return page.evaluate(async ([values, impacts]) => {
    // Stylesheets would be fetched for it, which the policy does stop.
    const found = await axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'], preload: false });
    return found.violations
      .filter(({ impact }) => impacts.includes(impact))
      .flatMap(({ id, impact, help, nodes }) => nodes.map(({ target, failureSummary }) => ({ id, impact, help, target: target.join(' '), failureSummary })));
  }, [TAGS, NOT_TOLERATED]);
}

/** The widest things that stick out at the right, where anything does. */
async function overflow(page) {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const describe = (element) => `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} to ${Math.round(element.getBoundingClientRect().right)}`;
    const sticksOut = (element) => element.getBoundingClientRect().right > innerWidth + 0.5;
    return [`scrollWidth ${document.documentElement.scrollWidth}`, ...[...document.body.querySelectorAll('*')].filter(sticksOut).slice(0, 8).map(describe)];
  });
}

/** Fails with each rule, node and look. */
export async function assertAccessible(page, name) {
  const found = [];
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height: HEIGHT });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const { id, impact, help, target, failureSummary } of await violations(page)) {
      found.push(`${name}, ${width} px, ${colorScheme}: ${id} (${impact}): ${help}\n    ${target}\n    ${failureSummary.replaceAll('\n', '\n    ')}`);
    }
  }
  assert.deepEqual(found, [], `\n${found.join('\n')}`);
}

export async function assertNoOverflow(page, name) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    assert.deepEqual(await overflow(page), [], `${name} at ${width} px`);
  }
}
