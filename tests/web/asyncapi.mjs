// SPDX-License-Identifier: MPL-2.0
// Is the file, the first argument, a valid AsyncAPI document by the judgement of the AsyncAPI parser?
// And is each event of standard input, lines of "tulle tap --json", one of its channels, by topic, and
// is its payload right by the schema there? Prints what the document says, one line each; ends with 1
// when something is wrong.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Parser } from "@asyncapi/parser";
import Ajv from "ajv";

const text = readFileSync(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);
for (const problem of diagnostics) {
    // That there is a newer version than 3.0.0 is no problem.
    if (problem.code === "asyncapi-latest-version")
        continue;
    console.log(`${problem.code}: ${problem.message} (${problem.path.join(".")})`);
    process.exitCode = 1;
}
if (document === undefined)
    process.exit(1);

// Bytes are {"$bin": "BASE64"} in lines of tap, and base64 in JSON Schema.
function plain(value) {
    if (Array.isArray(value))
        return value.map(plain);
    if (value === null || typeof value !== "object")
        return value;
    if (Object.keys(value).join() === "$bin")
        return value.$bin;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

const ajv = new Ajv({ strict: false, validateFormats: false });
const channels = document.channels().all().map(channel => {
    // Only braces of parameters are left: others are encoded.
    const levels = channel.address().split("/").map(level =>
        level.startsWith("{") ? "[^/]+"
                              : decodeURIComponent(level.replace(/%(?!7B|7D)/g, "%25"))
                                    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return { channel, expression: new RegExp(`^${levels.join("/")}$`) };
});

let seen = 0;
for await (const line of createInterface({ input: process.stdin })) {
    const event = JSON.parse(line);
    const of = channels.filter(({ expression }) => expression.test(event.topic));
    if (of.length !== 1) {
        console.log(`${event.topic} is in ${of.length} channels`);
        process.exitCode = 1;
        continue;
    }
    const type = event.content_type ?? "application/msgpack";
    const message = of[0].channel.messages().all().find(one => one.contentType() === type);
    const schema = message?.payload()?.json();
    if (message === undefined || (schema !== undefined && !ajv.validate(schema, plain(event.payload)))) {
        console.log(`${line}: ${message === undefined ? "no message" : ajv.errorsText()}`);
        process.exitCode = 1;
    }
    seen++;
}
for (const { channel } of channels) {
    const actions = channel.operations().all().map(operation => `${operation.json().title} ${operation.action()}s`);
    const types = channel.messages().all().map(message => message.contentType());
    console.log(`${channel.address()}: ${types.sort().join(", ")}: ${actions.sort().join(", ")}`);
}
console.log(`servers: ${document.servers().all().map(server => server.json().title).sort().join(", ")}`);
console.log(`${seen} events are right`);
