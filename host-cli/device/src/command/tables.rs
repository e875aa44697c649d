//! What verbs show, as text and as JSON.

use crate::{Client, Error, Fault, Line, Status};
use mote_link::VERSION;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The same twice: for people, and for programs.
pub(super) struct Table {
    pub text: String,
    pub json: Value,
}

/// Lines of a name and a value, the values under each other.
fn pairs(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

pub(super) fn info<L: Line>(device: &mut Client<L>) -> Result<Table, Error> {
    let board = device.board().to_owned();
    let report = device.boot_report()?;
    let model = match device.model() {
        Err(Error::Refused { status: Status::NoModel, .. }) => None,
        other => Some(other?),
    };
    let mut lines = vec![("board", board.clone()), ("protocol", format!("version {VERSION}"))];
    match (&model, report.running) {
        (Some(model), Some(slot)) => {
            lines.push(("model", format!("{} bytes in slot {slot}, CRC-32 {:08x}", model.bytes, model.crc)));
            let plans =
                if model.plans == 0 { "no plans: it denoises".into() } else { format!("{} plans", model.plans) };
            lines.push(("", format!("{} in, {} out, {} classes, {plans}", model.dim_in, model.dim_out, model.classes)));
            lines.push(("memory", format!("{} bytes", model.arena)));
        }
        _ => lines.push(("model", "none: no slot holds one that passed its checks".into())),
    }
    for (slot, name) in report.slots.iter().zip(["slot 0", "slot 1"]) {
        let update = if slot.sequence == 0 {
            String::new()
        } else {
            format!(", update {}, {} bytes", slot.sequence, slot.bytes)
        };
        lines.push((name, format!("{}: {}{update}", slot.verdict.name(), slot.verdict)));
    }
    lines.push(("room", format!("{} bytes a slot", report.room)));
    let slots: Vec<_> = report
        .slots
        .iter()
        .map(|slot| json!({"verdict": slot.verdict.name(), "update": slot.sequence, "bytes": slot.bytes, "crc": slot.crc}))
        .collect();
    let model = model.map(|model| {
        json!({"bytes": model.bytes, "crc": model.crc, "dim_in": model.dim_in, "dim_out": model.dim_out,
            "classes": model.classes, "plans": model.plans, "arena_bytes": model.arena})
    });
    let json = json!({"board": board, "protocol": VERSION, "running": report.running, "model": model, "slots": slots,
        "room_bytes": report.room});
    Ok(Table { text: pairs(&lines), json })
}

pub(super) fn plans<L: Line>(device: &mut Client<L>) -> Result<Table, Error> {
    let plans = device.plans()?;
    let mut text = format!("{:>6}  {:>5}  {:>8}  plan\n", "number", "rows", "guidance");
    for plan in &plans {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>6}  {:>5}  {:>8}  {}", plan.number, plan.rows, plan.guidance, plan.name);
    }
    let rows: Vec<_> = plans
        .iter()
        .map(|plan| json!({"number": plan.number, "name": plan.name, "rows": plan.rows, "guidance": plan.guidance}))
        .collect();
    Ok(Table { text, json: json!(rows) })
}

pub(super) fn counters<L: Line>(device: &mut Client<L>) -> Result<Table, Error> {
    let found = device.counters()?;
    let each =
        |count: u64, of: u32| if of == 0 { String::new() } else { format!(", {} a step", count / u64::from(of)) };
    let faults: Vec<_> =
        Fault::ALL.iter().zip(found.faults).map(|(fault, count)| format!("{count} {}", fault.name())).collect();
    let lines = [
        ("frames", format!("{} whole", found.frames)),
        ("faults", faults.join(", ")),
        ("requests", format!("{} carried out, {} repeated, {} refused", found.requests, found.repeated, found.refused)),
        ("samples", found.samples.to_string()),
        ("windows", found.windows.to_string()),
        ("steps", found.steps.to_string()),
        ("instructions", format!("{}{}", found.instructions, each(found.instructions, found.steps))),
    ];
    let faults: serde_json::Map<_, _> =
        Fault::ALL.iter().zip(found.faults).map(|(fault, count)| (fault.name().to_owned(), json!(count))).collect();
    let json = json!({"frames": found.frames, "faults": faults, "requests": found.requests, "repeated": found.repeated,
        "refused": found.refused, "samples": found.samples, "windows": found.windows, "steps": found.steps,
        "instructions": found.instructions});
    Ok(Table { text: pairs(&lines), json })
}

pub(super) fn self_test((expected, computed): (u64, u64)) -> Table {
    let passed = expected == computed;
    let lines = [
        ("model", format!("{expected:016x}")),
        ("device", format!("{computed:016x}")),
        ("bits", if passed { "equal".to_owned() } else { "DIFFERENT".to_owned() }),
    ];
    let (expected, computed) = (format!("{expected:016x}"), format!("{computed:016x}"));
    Table { text: pairs(&lines), json: json!({"expected": expected, "computed": computed, "equal": passed}) }
}
