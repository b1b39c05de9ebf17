// The requests of the upload page: tus 1.0, and the lists of the session.
import { data } from "./words.js";

const VERSION = "1.0.0";
const PIECE = "application/offset+octet-stream";
// Neither bytes moved nor an answer came: the connection is dead. The last piece of a
// file is answered only once the whole file was looked at.
const SILENCE_MS = 180_000;
const PASSING = [0, 408, 429, 500, 502, 503, 504];

// The portal, or the way to it, did not answer; the same may work later.
export class Lost extends Error {
    constructor(status, waitSeconds) {
        super(`no answer (${status})`);
        this.status = status;
        this.waitSeconds = waitSeconds;
    }
}

// The portal said no; `told` has its code, error and hint.
export class Refused extends Error {
    constructor(answer) {
        super(answer.told.error || `refused (${answer.status})`);
        this.status = answer.status;
        this.told = answer.told;
        this.header = answer.header;
    }

    get code() {
        return this.told.code || "";
    }
}

// Signing in again in another tab makes a new token, so it is read for each request.
function csrfToken() {
    const start = `${data.csrfCookie}=`;
    const cookie = document.cookie.split("; ").find((one) => one.startsWith(start));
    const field = document.querySelector("#upload-form [name=csrfmiddlewaretoken]");
    return cookie ? cookie.slice(start.length) : field ? field.value : "";
}

// Give {status, told, header(name)} of any answer; throw `Lost`, or what aborted it.
function request(method, url, { headers = {}, body = null, signal, onSent } = {}) {
    return new Promise((resolve, reject) => {
        const asked = new XMLHttpRequest();
        asked.open(method, url);
        const all = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers };
        for (const [name, value] of Object.entries(all)) {
            asked.setRequestHeader(name, value);
        }
        let timer = 0;
        const wait = () => {
            clearTimeout(timer);
            timer = setTimeout(() => asked.abort(), SILENCE_MS);
        };
        const abort = () => asked.abort();
        const end = (settle, value) => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", abort);
            settle(value);
        };
        asked.upload.addEventListener("progress", (event) => {
            wait();
            onSent?.(event.loaded);
        });
        asked.addEventListener("load", () => end(resolve, answerOf(asked)));
        asked.addEventListener("error", () => end(reject, new Lost(0, 0)));
        asked.addEventListener("abort", () => {
            end(reject, signal?.aborted ? signal.reason : new Lost(0, 0));
        });
        signal?.throwIfAborted();
        signal?.addEventListener("abort", abort);
        wait();
        asked.send(body);
    });
}

function answerOf(asked) {
    let told = {};
    try {
        told = JSON.parse(asked.responseText);
    } catch {
        // Nothing, or a proxy's own page; the status alone has to do.
    }
    return { status: asked.status, told, header: (name) => asked.getResponseHeader(name) };
}

async function ask(method, url, options) {
    const answer = await request(method, url, options);
    const { status, told } = answer;
    if (status >= 200 && status < 300) {
        return answer;
    }
    // A scanner that is away refuses the file as a whole; sending it again is for people.
    if (PASSING.includes(status) && told.code !== "scanner_unavailable") {
        throw new Lost(status, Number(answer.header("Retry-After")) || 0);
    }
    throw new Refused(answer);
}

function tus(method, url, { headers, ...options }) {
    const all = { "Tus-Resumable": VERSION, ...headers };
    if (options.body) {
        all["Content-Type"] = PIECE;
    }
    return ask(method, url, { headers: all, ...options });
}

function base64(text) {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function metadata(item) {
    const values = { filename: item.name, last_modified: item.modified };
    if (item.folder) {
        values.relative_path = item.path;
    }
    if (item.numbered) {
        values.numbered = "1";
    }
    return Object.entries(values)
        .map(([name, value]) => `${name} ${base64(value)}`)
        .join(",");
}

// Begin an upload, with all of its bytes where `piece` has them; give {url, offset}.
export async function create(item, piece, { signal, onSent }) {
    const headers = {
        "Upload-Length": String(item.size),
        "Upload-Metadata": metadata(item),
        ...piece?.headers,
    };
    const body = piece?.blob;
    const answer = await tus("POST", data.tus, { headers, body, signal, onSent });
    return { url: answer.header("Location"), offset: Number(answer.header("Upload-Offset")) };
}

// Ask how many bytes the portal has for good.
export async function offsetOf(url, signal) {
    try {
        const answer = await tus("HEAD", url, { signal });
        return Number(answer.header("Upload-Offset"));
    } catch (error) {
        if (error instanceof Refused && error.status !== 404) {
            // The answer to a HEAD has no words; the list is refused in words.
            await list(data.tus, signal);
        }
        throw error;
    }
}

// Send the bytes that begin at `offset`; give the new offset.
export async function append(url, offset, piece, { signal, onSent }) {
    const headers = { "Upload-Offset": String(offset), ...piece.headers };
    const answer = await tus("PATCH", url, { headers, body: piece.blob, signal, onSent });
    return Number(answer.header("Upload-Offset"));
}

export async function terminate(url) {
    await tus("DELETE", url, {});
}

function resultsOf({ told }) {
    if (!told.results) {
        throw new Lost(0, 0);
    }
    return told;
}

async function list(url, signal) {
    return resultsOf(await ask("GET", url, { headers: { "Tus-Resumable": VERSION }, signal }));
}

// Give each page of a list as it comes.
async function* pages(url, query = "") {
    for (let page = 1, more = true; more; page += 1) {
        const told = await list(`${url}?page=${page}${query}`);
        yield told.results;
        more = told.more;
    }
}

// Give one page of the session's files; `more` tells whether others follow.
export function filesOn(page, pageSize) {
    return list(`${data.files}?page=${page}&page_size=${pageSize}`);
}

// Give the rows of those files that the session has by one of the paths.
export async function known(paths) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ paths });
    return resultsOf(await ask("POST", data.known, { headers, body })).results;
}

// What was begun under a name, finished or not; see the view.
export function begun(name) {
    return pages(data.tus, `&name=${encodeURIComponent(name)}`);
}

export function unfinished() {
    return pages(data.tus, "&finished=0");
}

export function uuidOf(url) {
    return url.split("/").filter(Boolean).pop();
}

function fileUrl(uuid) {
    return `${data.files}${uuid}/`;
}

// Give the portal's row of a file, or null where there is none.
export async function fileOf(uuid) {
    try {
        return (await ask("GET", fileUrl(uuid))).told;
    } catch (error) {
        if (error instanceof Refused && error.status === 404) {
            return null;
        }
        throw error;
    }
}

export async function removeFile(uuid) {
    await ask("DELETE", fileUrl(uuid));
}
