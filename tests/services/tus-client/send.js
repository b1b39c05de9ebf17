"use strict";
// Sends a file by tus-js-client, which tries again by itself: send.js URL TOKEN FILE CHUNK
const fs = require("fs");
const tus = require("tus-js-client");
const [endpoint, token, path, chunk] = process.argv.slice(2);

new tus.Upload(fs.createReadStream(path), {
    endpoint,
    chunkSize: Number(chunk),
    uploadSize: fs.statSync(path).size,
    retryDelays: [0, 50, 100, 200, 400, 800],
    metadata: { filename: "a.rec" },
    headers: { Authorization: `Bearer ${token}` },
    onError: (error) => {
        process.stderr.write(String(error));
        process.exitCode = 1;
    },
}).start();
