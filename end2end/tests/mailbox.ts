// A mail server that keeps what it receives, and rejects mail to chosen addresses for good.
import { createServer, type Server } from "node:net";

export interface Mail {
  to: string;
  // The mail with its headers, without the soft line breaks of its encoding.
  text: string;
}

export class Mailbox {
  readonly received: Mail[] = [];
  readonly rejected = new Set<string>();
  private server: Server;

  constructor() {
    this.server = createServer((socket) => {
      let [to, data, rest] = ["", null as string[] | null, ""];
      const answer = (line: string) => socket.write(`${line}\r\n`);
      const line = (text: string) => {
        if (data) {
          if (text !== ".") return void data.push(text.replace(/^\.\./, "."));
          this.received.push({ to, text: data.join("\n").replaceAll("=\n", "").replaceAll("=3D", "=") });
          data = null;
          return answer("250 accepted");
        }
        const command = text.slice(0, 4).toUpperCase();
        if (command === "RCPT") {
          to = /<([^>]*)>/.exec(text)?.[1] ?? "";
          return answer(this.rejected.has(to) ? `550 5.1.1 there is no mailbox ${to}` : "250 accepted");
        }
        if (command === "DATA") {
          data = [];
          return answer("354 end with a full stop");
        }
        answer(command === "QUIT" ? "221 bye" : "250 accepted");
        if (command === "QUIT") socket.end();
      };
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        const lines = (rest + bytes.toString("utf8")).split("\r\n");
        rest = lines.pop() ?? "";
        lines.forEach(line);
      });
      answer("220 mailbox");
    });
  }

  // Listens on a free port and returns it.
  start(): Promise<number> {
    return new Promise((ready) => this.server.listen(0, "127.0.0.1", () => ready((this.server.address() as { port: number }).port)));
  }

  stop(): void {
    this.server.close();
  }

  // Returns the link in the mail to an address.
  linkFor(address: string): string {
    const mail = this.received.findLast((one) => one.to === address);
    const link = mail && /https?:\/\/\S+\/keep\/[0-9a-f]+/.exec(mail.text);
    if (!link) throw new Error(`no link for ${address}`);
    return link[0];
  }
}
