use super::header::{Header, Role, SelfTest, arena_bytes_of, lane_bytes};
use super::{Arena, ArenaTooSmall, Bound, PLAN_NAME_MAX};
use crate::job::Level;
use crate::math;
use crate::network::{F32Le, Network};
use crate::sampler::{Plan, ROW_BYTES};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

/// A checked model, viewed in place in its blob.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    pub(super) header: Header<'a>,
    pub(super) bytes: &'a [u8],
    pub(super) scaling: &'a [u8],
    pub(super) network: Network<'a>,
    pub(super) plans: &'a [[u8; 32]],
    pub(super) rows: &'a [[u8; ROW_BYTES]],
    #[cfg(feature = "imputation")]
    pub(super) imputation: Option<super::Imputation<'a>>,
    pub(super) text: &'a [u8],
}

/// A plan of a model, with what its descriptor says.
#[derive(Clone, Copy, Debug)]
pub struct NamedPlan<'a> {
    /// Its name: printable ASCII, no space.
    pub name: &'a str,
    /// Its rows.
    pub plan: Plan<'a>,
    /// How many predictions it keeps.
    pub history: usize,
    /// The guidance weight it was made for; 0 for none.
    pub guidance: f32,
}

impl<'a> From<&NamedPlan<'a>> for Plan<'a> {
    fn from(named: &NamedPlan<'a>) -> Self {
        named.plan
    }
}

impl<'a> Model<'a> {
    /// What the model is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.header.role()
    }

    /// What the network's output stands for.
    #[must_use]
    pub fn prediction(&self) -> Prediction {
        self.header.prediction()
    }

    /// Number of components of the network's input.
    #[must_use]
    pub fn dim_in(&self) -> usize {
        self.header.dim_in()
    }

    /// Number of components of the network's output, and of a sample.
    #[must_use]
    pub fn dim_out(&self) -> usize {
        self.header.dim_out()
    }

    /// Number of classes; 0 for an unconditional model.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.header.classes()
    }

    /// Height and width, if a sample is an image.
    #[must_use]
    pub fn image(&self) -> Option<(u16, u16)> {
        self.header.image()
    }

    /// The data's standard deviation after scaling.
    #[must_use]
    pub fn sigma_data(&self) -> f32 {
        self.header.sigma_data()
    }

    /// The self-test.
    #[must_use]
    pub fn self_test(&self) -> SelfTest {
        self.header.self_test()
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network<'a> {
        &self.network
    }

    /// Bytes of the blob.
    #[must_use]
    pub fn blob_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The text for people and host tools, a TOML document.
    #[must_use]
    pub fn text(&self) -> &'a str {
        core::str::from_utf8(self.text).unwrap_or_default()
    }

    /// Mean and standard deviation of each component of the data.
    pub fn scaling(&self) -> impl ExactSizeIterator<Item = (f32, f32)> + use<'a> {
        let (mean, deviation) = Self::halves(self.scaling);
        mean.iter().zip(deviation.iter())
    }

    /// Means and deviations of the section that holds them.
    pub(super) fn halves(scaling: &'a [u8]) -> (F32Le<'a>, F32Le<'a>) {
        let (mean, deviation) = scaling.split_at_checked(scaling.len() / 2).unwrap_or((scaling, &[]));
        (F32Le::new(mean), F32Le::new(deviation))
    }

    /// Brings a sample to the data's own units, in place: `x * deviation + mean`. Of a model that slides, `sample` may be any number of samples.
    pub fn unscale(&self, sample: &mut [f32]) {
        for rows in sample.chunks_mut(self.header.dim_in().max(1)) {
            for (x, (mean, deviation)) in rows.iter_mut().zip(self.scaling()) {
                *x = *x * deviation + mean;
            }
        }
    }

    /// Brings data in their own units to the scale of training, in place: `(x - mean) / deviation`. Of a model that slides, `sample` may be one sample
    /// or any number of them.
    pub fn scale(&self, sample: &mut [f32]) {
        for rows in sample.chunks_mut(self.header.dim_in().max(1)) {
            for (x, (mean, deviation)) in rows.iter_mut().zip(self.scaling()) {
                *x = (*x - mean) / deviation;
            }
        }
    }

    /// The level whose noise, `sigma / alpha` in the scale of training, is nearest to `sigma` by ratio; the cleanest for a `sigma` that is not above 0.
    #[must_use]
    pub fn nearest_level(&self, sigma: f32) -> Level {
        let levels = self.network.levels();
        let wanted = math::ln(sigma.max(f32::MIN_POSITIVE));
        let mut best = Level { index: 0, noise: levels.noise(0).unwrap_or(NoiseLevel { alpha: 1.0, sigma: 0.0 }) };
        let mut least = f32::INFINITY;
        for index in 0..levels.len() {
            let Some(noise) = levels.noise(index) else { break };
            let distance = (wanted + noise.lambda()).abs();
            if distance < least {
                (best, least) = (Level { index, noise }, distance);
            }
        }
        best
    }

    /// Writes the model's levels to `room`, from the noisiest to the cleanest and each ratio of noise once, and gives as many as have room; pure noise and
    /// pure data are left out. Cost: the square of the number of levels.
    pub fn ladder<'r>(&self, room: &'r mut [Level]) -> &'r [Level] {
        let table = self.network.levels();
        let (mut count, mut above) = (0, f32::INFINITY);
        for place in room.iter_mut() {
            let (mut best, mut found) = (0.0, None);
            for index in 0..table.len() {
                let Some(noise) = table.noise(index) else { break };
                let ratio = noise.relative_sigma();
                if ratio < above && ratio > best {
                    (best, found) = (ratio, Some(Level { index, noise }));
                }
            }
            let Some(level) = found else { break };
            (*place, above, count) = (level, best, count + 1);
        }
        room.get(..count).unwrap_or_default()
    }

    /// Number of plans.
    #[must_use]
    pub fn plan_count(&self) -> usize {
        self.plans.len()
    }

    /// The plan of this number, or `None` past the end.
    #[must_use]
    pub fn plan(&self, number: usize) -> Option<NamedPlan<'a>> {
        self.plans().nth(number)
    }

    /// The plan of this number without its name, or `None` past the end: less code in an image that looks at no names.
    #[must_use]
    pub fn unnamed_plan(&self, number: usize) -> Option<Plan<'a>> {
        self.described().nth(number).map(|(_, plan)| plan)
    }

    /// The plan of this name.
    #[must_use]
    pub fn plan_named(&self, name: &str) -> Option<NamedPlan<'a>> {
        self.plans().find(|plan| plan.name == name)
    }

    /// All plans in order.
    pub fn plans(&self) -> impl Iterator<Item = NamedPlan<'a>> + use<'a> {
        self.described().map(|(descriptor, plan)| NamedPlan {
            name: descriptor.name(),
            plan,
            history: descriptor.history(),
            guidance: descriptor.guidance(),
        })
    }

    fn described(&self) -> impl Iterator<Item = (PlanDescriptor<'a>, Plan<'a>)> + use<'a> {
        let mut rest = self.rows;
        self.plans.iter().filter_map(move |bytes| {
            let descriptor = PlanDescriptor(bytes);
            let (rows, after) = rest.split_at_checked(descriptor.rows())?;
            rest = after;
            Some((descriptor, Plan::from_bytes(rows, descriptor.start_scale())))
        })
    }

    /// What fills gaps, of a model whose role that is.
    #[cfg(feature = "imputation")]
    #[must_use]
    pub fn imputation(&self) -> Option<super::Imputation<'a>> {
        self.imputation
    }

    /// Bytes of working memory that the model needs on this target; see [`arena_bytes_anywhere`](Self::arena_bytes_anywhere).
    #[must_use]
    pub fn arena_bytes(&self) -> usize {
        let header = self.header;
        arena_bytes_of(header.dim_in(), header.dim_out(), header.width(), header.history(), header.classes() > 0)
    }

    /// Bytes of working memory that suffice on every target: a core that multiplies one number at a time keeps activation codes as words.
    #[must_use]
    pub fn arena_bytes_anywhere(&self) -> usize {
        let width = self.header.width();
        self.arena_bytes() - lane_bytes(width) + 4 * Network::lanes(width)
    }

    /// Lends the model its memory.
    ///
    /// # Errors
    /// [`ArenaTooSmall`] when the arena has fewer bytes than [`arena_bytes`](Self::arena_bytes).
    pub fn bind<'m, const N: usize>(&'m self, arena: &'m mut Arena<N>) -> Result<Bound<'m, 'a>, ArenaTooSmall> {
        Bound::new(self, arena.words())
    }

    /// Lends the model memory whose size is known only at run time.
    ///
    /// # Errors
    /// [`ArenaTooSmall`] when the words have fewer bytes than [`arena_bytes`](Self::arena_bytes).
    pub fn bind_words<'m>(&'m self, words: &'m mut [u32]) -> Result<Bound<'m, 'a>, ArenaTooSmall> {
        Bound::new(self, words)
    }
}

/// A plan's descriptor, viewed in place.
#[derive(Clone, Copy)]
pub(super) struct PlanDescriptor<'a>(pub &'a [u8; 32]);

impl<'a> PlanDescriptor<'a> {
    /// The name and the zeros after it.
    pub fn padded_name(self) -> &'a [u8] {
        self.0.get(..PLAN_NAME_MAX).unwrap_or(&[])
    }

    fn name(self) -> &'a str {
        let name = self.padded_name();
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.get(..end).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or("")
    }

    pub fn rows(self) -> usize {
        let [.., r0, r1, _, _, _, _, _, _, _, _, _, _] = *self.0;
        u16::from_le_bytes([r0, r1]).into()
    }

    pub fn history(self) -> usize {
        let [.., history, _, _, _, _, _, _, _, _, _] = *self.0;
        history.into()
    }

    pub fn reserved(self) -> u8 {
        let [.., reserved, _, _, _, _, _, _, _, _] = *self.0;
        reserved
    }

    pub fn start_scale(self) -> f32 {
        let [.., s0, s1, s2, s3, _, _, _, _] = *self.0;
        f32::from_le_bytes([s0, s1, s2, s3])
    }

    pub fn guidance(self) -> f32 {
        let [.., g0, g1, g2, g3] = *self.0;
        f32::from_le_bytes([g0, g1, g2, g3])
    }
}
