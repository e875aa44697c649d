//! How a file of weights is laid out: the `[import]` section of a recipe.

use serde::{Deserialize, Serialize};

use super::ImportError;

/// The `[import]` section: names and order of what the file holds. A field that is left out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportRecipe {
    /// The file that was imported; `mote import` writes it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Modules of the layers, each with a `weight` and a `bias`.
    pub layers: LayerNames,
    /// Module of the last layer; left out: the next of `layers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Where the weights of time features and classes are.
    pub conditioning: ConditioningLayout,
    /// Order of a conditioned layer's input columns, where they are concatenated.
    pub order: [Part; 3],
    /// Modules of the time features' weights, where they are separate; a bias there is added to the layer's.
    pub level: LayerNames,
    /// Modules of the class weights (outputs x classes), where they are separate.
    pub class: LayerNames,
    /// Order of the time features.
    pub time_features: FeatureOrder,
    /// The number that the network is given for t = 1: 1 where time runs from 0 to 1, 1000 where it counts steps.
    pub time_scale: f32,
    /// Tensor with the angular frequencies of the time features; left out: geometric from 1 to `network.max_frequency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequencies: Option<String>,
}

impl Default for ImportRecipe {
    fn default() -> Self {
        Self {
            weights: None,
            layers: LayerNames::Pattern("layers.{i}".into()),
            last: None,
            conditioning: ConditioningLayout::Concatenated,
            order: [Part::Data, Part::Features, Part::Classes],
            level: LayerNames::Pattern("level.{i}".into()),
            class: LayerNames::Pattern("class.{i}".into()),
            time_features: FeatureOrder::SinCos,
            time_scale: 1.0,
            frequencies: None,
        }
    }
}

/// Names of modules, first layer to last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LayerNames {
    /// One name with `{i}` for the layer's number from 0.
    Pattern(String),
    /// One name for each layer.
    List(Vec<String>),
}

impl LayerNames {
    /// The name of layer `layer`; none past the end of a list.
    #[must_use]
    pub fn of(&self, layer: usize) -> Option<String> {
        match self {
            Self::Pattern(pattern) => Some(pattern.replace("{i}", &layer.to_string())),
            Self::List(names) => names.get(layer).cloned(),
        }
    }
}

/// Where a conditioned layer's weights of time features and classes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditioningLayout {
    /// Columns of the layer's own weight: data, features and classes are one input vector.
    Concatenated,
    /// Linear maps of their own, whose outputs are added to the layer's.
    Separate,
}

/// A part of a conditioned layer's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The data, or the layer before.
    Data,
    /// The time features.
    Features,
    /// The class, one-hot.
    Classes,
}

/// The order of time features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureOrder {
    /// All sines, then all cosines.
    SinCos,
    /// All cosines, then all sines.
    CosSin,
    /// Sine and cosine of each frequency in turn.
    Interleaved,
}

impl FeatureOrder {
    /// Where column `column` of `count` features stands among sines, then cosines.
    #[must_use]
    pub fn place(self, column: usize, count: usize) -> usize {
        let half = count / 2;
        match self {
            Self::SinCos => column,
            Self::CosSin => (column + half) % count,
            Self::Interleaved => column / 2 + half * (column % 2),
        }
    }
}

impl ImportRecipe {
    /// Checks what can be checked without a file.
    ///
    /// # Errors
    /// [`ImportError::Convention`].
    pub fn validate(&self) -> Result<(), ImportError> {
        let refuse = |reason: &str| Err(ImportError::Convention { reason: reason.into() });
        if [Part::Data, Part::Features, Part::Classes].iter().any(|part| !self.order.contains(part)) {
            return refuse("order must name data, features and classes, each once");
        }
        if !(self.time_scale > 0.0 && self.time_scale.is_finite()) {
            return refuse("time_scale must be finite and above 0");
        }
        Ok(())
    }
}
