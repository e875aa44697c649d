use super::{BlobRecipe, DataRecipe, NetworkRecipe, Recipe};
use crate::data::{planar_classes, usual_split};
use crate::network::{Activation, Conditioning};
use crate::train::TrainingOptions;

impl Recipe {
    /// The recipe for a source where nothing else is asked for: [`Recipe::default`], and for built-in sets in the plane one that
    /// 12 seconds of a processor are enough for and whose blob is below 12 KiB.
    ///
    /// Two features carry little, so three layers of some 64 do (the last is a little narrower, to leave room for the classes), and telling the noise level to the first layer alone spares the blob a table. A set's
    /// parts are its classes, so that a block of samples has as many of each as the data, and not as chance has it. No
    /// weight decay: the rows are too many to learn by heart. At ten evaluations the linear multistep rule ends nearer to the data than
    /// DPM-Solver++ where data are clusters.
    #[must_use]
    pub fn usual(source: &str) -> Self {
        let data = DataRecipe { source: source.into(), split: usual_split(source), ..DataRecipe::default() };
        let Some(classes) = planar_classes(source) else {
            return Self { data, ..Self::default() };
        };
        let plan = |text: &str| text.parse().expect("a plan of the documented form");
        Self {
            data,
            network: NetworkRecipe {
                hidden: vec![64, 64, 56],
                activation: Activation::Relu,
                conditioning: Conditioning::FirstLayer,
                class_conditional: classes > 0,
                ..NetworkRecipe::default()
            },
            training: TrainingOptions { steps: 14_000, weight_decay: 0.0, ..TrainingOptions::default() },
            blob: BlobRecipe { plans: vec![plan("ipndm3:10:flow")], ..BlobRecipe::default() },
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_in_the_plane_have_their_own_recipe_and_other_sources_the_default() {
        let other = |source: &str| Recipe {
            data: DataRecipe { source: source.into(), ..DataRecipe::default() },
            ..Recipe::default()
        };
        for source in ["digits", "windows.csv", "moons.csv", "moonshine"] {
            assert_eq!(Recipe::usual(source), other(source));
        }
        for source in ["moons", "moons:7", "checkerboard"] {
            let recipe = Recipe::usual(source);
            assert_eq!((recipe.data.source.as_str(), recipe.network.hidden.len()), (source, 3));
            assert!(recipe.network.class_conditional, "{source}");
            assert_ne!(recipe.data.split, other(source).data.split);
            assert_eq!(toml::from_str::<Recipe>(&recipe.to_toml()).unwrap(), recipe);
        }
    }
}
