// Files that a person chose or dropped, as {file, path}; folders keep their structure.
const BUSY_MS = 30;
// As people count: 2 before 10.
const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true });

// Give each file in turn and let the page breathe: asking a file for its size alone
// can take a browser half a millisecond.
export async function* unhurried(found) {
    let until = performance.now() + BUSY_MS;
    for await (const one of found) {
        yield one;
        if (performance.now() > until) {
            await new Promise((resolve) => setTimeout(resolve));
            until = performance.now() + BUSY_MS;
        }
    }
}

export function fromInput(input) {
    const found = Array.from(input.files, (file) => ({
        file,
        path: file.webkitRelativePath || file.name,
    }));
    return found.sort((a, b) => compare(a.path, b.path));
}

// Must be called while the drop is handled: its items are gone afterwards.
export function fromDrop(transfer, onUnreadable) {
    const dropped = Array.from(transfer.items)
        .filter((item) => item.kind === "file")
        .map((item) => item.webkitGetAsEntry?.() || item.getAsFile())
        .filter(Boolean);
    return walkAll(dropped, onUnreadable);
}

async function* walkAll(dropped, onUnreadable) {
    for (const one of dropped) {
        if (one instanceof File) {
            yield { file: one, path: one.name };
        } else {
            yield* walk(one, onUnreadable);
        }
    }
}

async function* walk(entry, onUnreadable) {
    try {
        if (entry.isFile) {
            const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
            yield { file, path: entry.fullPath.replace(/^\//, "") };
            return;
        }
    } catch {
        onUnreadable(entry.fullPath);
        return;
    }
    yield* walkAll(await entriesOf(entry, onUnreadable), onUnreadable);
}

// A reader gives a folder's entries a hundred at a time, at last none.
async function entriesOf(folder, onUnreadable) {
    const reader = folder.createReader();
    const all = [];
    try {
        for (;;) {
            const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
            if (!some.length) {
                return all.sort((a, b) => compare(a.name, b.name));
            }
            all.push(...some);
        }
    } catch {
        onUnreadable(folder.fullPath);
        return all;
    }
}
