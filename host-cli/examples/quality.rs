use mote_cli::*;
use std::sync::atomic::AtomicBool;
fn main() -> anyhow::Result<()> {
    // args: key=value recipe overrides as TOML lines
    let mut toml = String::from("[data]\nsplit = { kind = \"alternate\" }\n");
    for a in std::env::args().skip(2) {
        toml += &a.replace("\\n", "\n");
        toml += "\n";
    }
    let recipe: recipe::Recipe = toml::from_str(&toml)?;
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let run = run::RunFolder::create(&dir, true)?;
    recipe.write(&run.recipe())?;
    let data = run::Prepared::load(&recipe.data)?;
    data.summary.write(&run)?;
    let t = std::time::Instant::now();
    let out = training_run::train_into(&run, &recipe, &data, false, &AtomicBool::new(false))?;
    let training_run::Outcome::Finished(tr) = out else { panic!() };
    println!(
        "train {:.1}s {:.0} steps/s loss {:.4} val {:.4}",
        t.elapsed().as_secs_f64(),
        tr.steps_here as f64 / tr.seconds_here,
        tr.metrics.last().unwrap().loss,
        tr.metrics.last().unwrap().validation_loss
    );
    let noising = recipe.noise.noising();
    let set = plan::LevelSet::build(&recipe.blob.plans, &noising)?;
    let t = std::time::Instant::now();
    let details = quantize::BlobDetails {
        scaling: &data.summary.scaling,
        image: data.summary.image,
        text: &data.summary.blob_text(&recipe),
        self_test_seed: 1,
    };
    let q =
        quantize::quantize(&tr.network, &noising, &set, recipe.blob.activation_bits, &Default::default(), &details)?;
    println!("quantise {:.1}s blob {} q_max {:?} {:?}", t.elapsed().as_secs_f64(), q.blob.len(), q.q_max, q.warnings);
    std::fs::write(run.model(), &q.blob)?;
    let model = mote_core::model::Model::parse(&q.blob)?;
    let t = std::time::Instant::now();
    let a = evaluation::Assessment::new(&data)?;
    let rows = evaluation::float_and_quantised(&a, &tr.network, &noising, &set, &model, 7)?;
    print!("{}", evaluation::to_text(&rows));
    println!("eval {:.1}s", t.elapsed().as_secs_f64());
    Ok(())
}
