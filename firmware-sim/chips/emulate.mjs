// Runs the Pico's image in rp2040js, an emulator of the RP2040, and prints the first lines of UART0:
//
//   npm install rp2040js@1.4.1
//   arm-none-eabi-objcopy -O binary target/thumbv6m-none-eabi/release/pico pico.bin
//   node emulate.mjs pico.bin [model.mote]
import { readFileSync } from "node:fs";
import { Simulator } from "rp2040js";

const LINES = 5;
const [image, model] = process.argv.slice(2);
const simulator = new Simulator();
const chip = simulator.rp2040;
chip.flash.set(readFileSync(image), 0);
if (model) {
  // Where memory/pico.x has the model's partition, from the start of flash.
  chip.flash.set(readFileSync(model), 0x80000);
}

let lines = 0;
chip.uart[0].onByte = (byte) => {
  process.stdout.write(String.fromCharCode(byte));
  if (byte === 10 && ++lines === LINES) {
    process.exit(0);
  }
};

// What the chip's ROM does: the second stage of the boot to the last bytes of memory, its stack below it, and no caller.
chip.sram.set(chip.flash.subarray(0, 256), 0x41f00);
chip.core.SP = 0x20041f00;
chip.core.LR = 0;
chip.core.PC = 0x20041f00;
simulator.execute();
