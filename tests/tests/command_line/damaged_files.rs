//! Files of a run that were cut short or changed: refused by name.

use crate::mote::Place;

#[test]
fn a_damaged_model_is_refused_by_every_verb() {
    let place = Place::new();
    place.trained("run", "");
    let whole = place.bytes("run/model.mote");
    let mut damaged =
        vec![b"not a model".to_vec(), Vec::new(), whole[..95].to_vec(), whole[..whole.len() / 2].to_vec()];
    for place in [0, 4, 20, whole.len() / 2, whole.len() - 20] {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        damaged.push(flipped);
    }
    for bytes in damaged {
        place.write("run/model.mote", bytes);
        for verb in ["inspect", "sample", "evaluate"] {
            place.refused_with(&format!("{verb} run"), &["run/model.mote", "not a usable model"]);
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_by_every_verb() {
    let place = Place::new();
    place.trained("run", "");
    let whole = place.bytes("run/checkpoint.safetensors");
    let mut damaged = vec![b"not a checkpoint".to_vec(), whole[..whole.len() - 1].to_vec(), whole[..20].to_vec()];
    // The lowest bit of one of the last weights: a number like any other, but not the one that was saved.
    for place in [9, whole.len() - 4, whole.len() / 2] {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        damaged.push(flipped);
    }
    for bytes in damaged {
        place.write("run/checkpoint.safetensors", bytes);
        for arguments in ["train --resume run --steps 90", "quantize run", "sample run --float", "evaluate run"] {
            place.refused_with(arguments, &["run/checkpoint.safetensors"]);
        }
    }
}

#[test]
fn damaged_texts_of_a_run_are_refused_by_name() {
    let place = Place::new();
    place.trained("run", "");
    let (recipe, data) = (place.text("run/recipe.toml"), place.text("run/data.json"));
    place.write("run/recipe.toml", recipe.replace("[training]\nsteps = 60", "[training]\nsteps = many"));
    place.refused_with("quantize run", &["run/recipe.toml: line "]);
    place.refused_with("train --resume run", &["run/recipe.toml: line "]);
    place.write("run/recipe.toml", recipe);
    place.write("run/data.json", &data[..data.len() / 2]);
    place.refused_with("quantize run", &["run/data.json", "damaged"]);
    place.write("run/data.json", data);
    let metrics = place.text("run/metrics.csv");
    place.write("run/metrics.csv", metrics.replace("60,", "sixty,"));
    place.refused_with("train --resume run --steps 90", &["run/metrics.csv", "damaged"]);
}
