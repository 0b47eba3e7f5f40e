// SPDX-License-Identifier: MPL-2.0
// Is each line of standard input a CloudEvent by the SDK's own judgement? Prints what it is in the
// SDK's eyes, one line each; ends with 1 at the first that is none.
import { createInterface } from "node:readline";
import { HTTP } from "cloudevents";

const headers = { "content-type": "application/cloudevents+json" };

function show(data) {
    if (data === undefined)
        return "nothing";
    return ArrayBuffer.isView(data) ? "bytes " + Buffer.from(Array.from(data)).toString("hex")
                                    : JSON.stringify(data);
}

for await (const line of createInterface({ input: process.stdin })) {
    try {
        const event = HTTP.toEvent({ headers, body: line });
        event.validate();
        const own = JSON.parse(line);
        for (const name of Object.keys(own)) {
            if (name !== "data" && name !== "data_base64" && event[name] === undefined)
                throw new Error(`attribute ${name} is lost`);
        }
        console.log([event.source, event.type, event.subject, event.datacontenttype ?? "-",
                     event.tulleseq, show(event.data)].join(" "));
    } catch (error) {
        console.log(`no CloudEvent: ${error.message}: ${line}`);
        process.exitCode = 1;
        break;
    }
}
