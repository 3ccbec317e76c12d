//! Diagnostics as data: a code, a message, labelled places and help.
//!
//! Every layer that meets bad input makes these; only the outermost layer draws them. Must not
//! know miette or the terminal.

use crate::source::Span;
use serde::Serialize;
use std::fmt;

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The sentence or file cannot be used.
    Error,
    /// It can, but probably does not say what was meant.
    Warning,
}

/// A place with a few words about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is said under the line; may be empty.
    pub text: String,
}

/// One problem, with all that a reader needs to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem; each has its own code, help and test.
    pub code: Code,
    /// One sentence, without a full stop, in the words of the model.
    pub message: String,
    /// The places that matter, the main one first.
    pub labels: Vec<Label>,
    /// What to try.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem without a place yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Adds a place; the first one is the main one.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Error or warning; the code decides.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// True for errors.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.as_str(), self.message)?;
        if let Some(help) = &self.help {
            write!(out, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// " Did you mean `x`?" for the closest of `known`, or nothing when none is close.
#[must_use]
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(wrong, known).map(|name| format!("did you mean `{name}`?"))
}

/// The known name that `wrong` most likely misspells.
#[must_use]
pub fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let budget = match wrong.chars().count() {
        0 | 1 => 0,
        2 | 3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let folded = folded(wrong);
    let length = wrong.chars().count();
    known
        .into_iter()
        .filter(|name| *name != wrong)
        // Cheap before dear: each letter more or less is one step of the distance.
        .filter(|name| name.chars().count().abs_diff(length) <= budget)
        .map(|name| {
            let same_but_case = crate::diagnostic::folded(name) == folded;
            let distance = strsim::damerau_levenshtein(wrong, name);
            (if same_but_case { 0 } else { distance }, name)
        })
        .filter(|(distance, name)| *distance <= budget && *distance < name.chars().count().max(1))
        .min()
        .map(|(_, name)| name)
}

/// Letters that look alike become one: those that differ in case, the micro sign and the Greek
/// mu, the ohm sign and the Greek omega.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// A number as messages write it: all its digits, no more, with an exponent when it is very small
/// or large.
#[must_use]
pub fn number_text(x: f64) -> String {
    if x.is_nan() {
        return "not a number".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 {
            "infinite"
        } else {
            "minus infinity"
        }
        .to_owned();
    }
    let text = format!("{x:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed<T: AsRef<str>>(parts: &[T]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The first few names in backquotes, and how many more there are: `` `a`, `b` and 3 more ``.
#[must_use]
pub fn first_quoted<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let quoted = names.iter().take(most);
    let mut parts: Vec<String> = quoted.map(|name| format!("`{}`", name.as_ref())).collect();
    if names.len() > most {
        parts.push(format!("{} more", names.len() - most));
    }
    listed(&parts)
}

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $title:literal;)*) => {
        /// The kind of a diagnostic. `E` codes are errors, `W` codes warnings.
        ///
        /// 01 syntax, 02 names and declarations, 03 shapes, types and units, 04 values and bounds,
        /// 05 data and files, 06 numerical work, 07 sentences and their options, 09 what the
        /// language has but this version does not perform.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$meta])* #[doc = $title] $name,)* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable short form, such as `E0101`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// What the code stands for, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

/// What the codes with the same two first digits are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// 01: how a text is written.
    Text,
    /// 02: names, declarations and equations.
    Names,
    /// 03: shapes, types and units.
    Shapes,
    /// 04: values and bounds.
    Values,
    /// 05: data, files and figures.
    Data,
    /// 06: numerical work.
    Numerics,
    /// 07: sentences and their options.
    Sentences,
    /// 09: what this version does not perform.
    NotPerformed,
}

impl Area {
    /// All areas, in the order of their digits.
    pub const ALL: &'static [Area] = &[
        Area::Text,
        Area::Names,
        Area::Shapes,
        Area::Values,
        Area::Data,
        Area::Numerics,
        Area::Sentences,
        Area::NotPerformed,
    ];

    /// The two digits after the letter of the codes.
    #[must_use]
    pub fn digits(self) -> &'static str {
        match self {
            Area::Text => "01",
            Area::Names => "02",
            Area::Shapes => "03",
            Area::Values => "04",
            Area::Data => "05",
            Area::Numerics => "06",
            Area::Sentences => "07",
            Area::NotPerformed => "09",
        }
    }

    /// In a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Area::Text => "how a text is written",
            Area::Names => "names, declarations and equations",
            Area::Shapes => "shapes, types and units",
            Area::Values => "values and bounds",
            Area::Data => "data, files and figures",
            Area::Numerics => "numerical work",
            Area::Sentences => "sentences and their options",
            Area::NotPerformed => "what this version does not perform",
        }
    }

    /// The area whose codes begin like this: `E06`, `w06` or `06`.
    #[must_use]
    pub fn find(text: &str) -> Option<Area> {
        let digits = text.trim_start_matches(['E', 'e', 'W', 'w']);
        if text.len() > digits.len() + 1 {
            return None;
        }
        let mut areas = Area::ALL.iter().copied();
        areas.find(|area| area.digits() == digits)
    }

    /// Its codes, in the order of the table.
    pub fn codes(self) -> impl Iterator<Item = Code> {
        let all = Code::ALL.iter().copied();
        all.filter(move |code| code.area() == Some(self))
    }
}

impl Code {
    /// The code with this short form, in capitals or not.
    #[must_use]
    pub fn find(text: &str) -> Option<Code> {
        let mut codes = Code::ALL.iter().copied();
        codes.find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// The short form that `wrong` most likely stands for: the same digits with the other letter,
    /// or next to the same.
    #[must_use]
    pub fn nearest(wrong: &str) -> Option<&'static str> {
        let wrong = wrong.to_ascii_uppercase();
        let digits = wrong.trim_start_matches(|c: char| !c.is_ascii_digit());
        let known = || Code::ALL.iter().map(|code| code.as_str());
        let same = known().find(|code| digits.len() == 4 && code.ends_with(digits));
        same.or_else(|| closest(&wrong, known()))
    }

    /// What it is about; every code belongs to an area.
    #[must_use]
    pub fn area(self) -> Option<Area> {
        let digits = self.as_str().get(1..3)?;
        Area::find(digits)
    }

    /// Error or warning.
    #[must_use]
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
}

codes! {
    // 01: syntax (syntax/)
    Unexpected = "E0101", "text that does not fit here";
    MissingOperator = "E0102", "an operator is missing between two values";
    UnclosedBracket = "E0103", "a bracket is never closed";
    UnmatchedBracket = "E0104", "a closing bracket without its opening one";
    TooDeep = "E0105", "nested too deeply";
    BadNumber = "E0106", "not a number";
    UnclosedText = "E0107", "a quotation mark is never closed";
    ReservedWord = "E0108", "a reserved word used as a name";
    BadCharacter = "E0109", "a character that Lotka does not use";
    SpacedIndex = "E0110", "an index must touch its name";
    ChainedComparison = "E0111", "comparisons cannot be chained";
    BadVersion = "E0112", "a language version that this program does not know";
    UnknownStatement = "E0113", "a first word that begins no statement";
    BareExpression = "E0114", "an expression that stands alone in a file";

    // 02: names and declarations (model/)
    UnknownName = "E0201", "a name that is not declared";
    Duplicate = "E0202", "a name declared twice";
    Cycle = "E0203", "definitions that depend on themselves";
    UnknownFunction = "E0204", "a function that does not exist";
    Arity = "E0205", "a wrong number of arguments";
    GovernedTwice = "E0206", "a quantity governed twice";
    NoEquation = "E0207", "a state without an equation";
    NoInitialValue = "E0208", "a state or parameter without a value";
    NotGovernable = "E0209", "an equation for something that is not a state";
    ForeignClause = "E0210", "a clause that does not belong to this declaration";
    Recursion = "E0211", "a function that calls itself";
    NotASpecies = "E0212", "a reaction of something that is not a species";
    NoVolume = "E0213", "reactants in different compartments";
    WrongKind = "E0214", "a name of another kind than needed here";
    EmptyModel = "E0215", "nothing to do";
    NotConstant = "E0216", "a constant is needed here";
    BadDelay = "E0217", "a delay that does not fit";
    ConstraintCount = "E0218", "constraints that do not match the algebraic states";
    HigherIndex = "E0219", "constraints of a higher index";
    NotDosable = "E0220", "a dose into something that takes none";
    BadEvent = "E0221", "an event, dose or schedule that does not fit";
    NotForMaps = "E0222", "what belongs to a flow in a map, or to a map in a flow";
    NonlinearNoise = "E0231", "an equation that is not linear in white noise";
    MisplacedNoise = "E0232", "white noise where it has no value";
    BadNoise = "E0233", "a declaration of noise that does not fit";
    BadObservation = "E0234", "an observation, covariate or prior that does not fit";
    BadAllowance = "E0235", "something else than a warning is allowed";

    // 03: shapes, types and units (model/)
    ShapeMismatch = "E0301", "shapes that do not fit together";
    VectorProduct = "E0302", "a product of two vectors";
    NotBoolean = "E0303", "a condition is needed here";
    NotNumeric = "E0304", "a number is needed here";
    BadIndex = "E0305", "an index outside its set";
    UnknownIndexSet = "E0306", "an index set that is not declared";
    UnitMismatch = "E0310", "units that do not agree";
    NotPure = "E0311", "a unit where a number without one is needed";
    UnknownUnit = "E0312", "a unit that is not known";
    BadUnit = "E0313", "a declaration of a unit that does not fit";
    TemperatureZero = "E0314", "temperatures that are counted from different zeros";

    // 04: values and bounds (model/, session/)
    OutOfBounds = "E0401", "a value outside its bounds";
    EmptyBounds = "E0402", "bounds that hold no value";
    BadLogBounds = "E0403", "a logarithmic scale needs positive bounds";
    NotFinite = "E0404", "a value that is not finite";
    AssertionFailed = "E0405", "an assertion that does not hold";

    // 05: data and files (table/, session/)
    CannotRead = "E0501", "a file that cannot be read";
    CannotWrite = "E0502", "a file that cannot be written";
    NotText = "E0503", "a file that is not text";
    BadAnnData = "E0504", "an AnnData file that cannot be used";
    NoColumn = "E0505", "a column that is not there";
    CannotDraw = "E0506", "a figure that cannot be drawn";
    RaggedRow = "E0507", "a row with too many or too few cells";
    NoHeader = "E0508", "a table without a row of names";
    DuplicateColumn = "E0509", "two columns with one name";
    EmptyTable = "E0510", "a table without rows";
    TextForNumber = "E0511", "text where a number is needed";
    NotAscending = "E0512", "times that do not ascend";
    EmptyCell = "E0513", "an empty cell where a number is needed";
    BadDoseRow = "E0514", "a row of a dose table that makes no sense";
    NoData = "E0516", "an observable or covariate without data";
    BadDatum = "E0517", "a value that its distribution cannot give";
    ColumnUnit = "E0518", "a column whose numbers are in another unit";
    NoSubject = "E0515", "a subject that is not in the table, or not chosen";
    UnusedColumn = "W0501", "a column that nothing uses";
    BeyondTable = "W0502", "a run that goes beyond the table of an input";
    OtherUnit = "W0503", "a column in another unit than the model's";
    Doubtful = "W0504", "data that may not be what is meant";

    // 06: numerical work (simulate/)
    NonFiniteState = "E0601", "a state or derivative that is not finite";
    StepTooSmall = "E0602", "steps that became too small";
    TooManySteps = "E0603", "too many steps";
    TooStiff = "E0604", "a stiff system met by an explicit method";
    Interrupted = "E0605", "stopped by the user";
    SolverFailed = "E0606", "a solver that gave up";
    EventStorm = "E0607", "events without end";
    Inconsistent = "E0608", "constraints that cannot be satisfied";
    BadSchedule = "E0609", "a schedule or dose whose value makes no sense";
    NegativeDelay = "E0610", "a delay that is not positive";
    NeverSteady = "E0611", "dosing that never settles";
    NoSteadyState = "E0612", "no steady state was found";
    NoMeasure = "E0613", "a measure that the run does not have";
    NotSmooth = "E0614", "a state without a linear part";
    NeverCrossed = "E0615", "a section that the run never crosses";
    NotStationary = "E0620", "no stationary distribution";
    NoPlane = "E0616", "a model whose states have no phase plane";
    CannotContinue = "E0630", "steady states that cannot be followed as a parameter moves";
    BranchStopped = "E0631", "a branch that could not be followed to its end";
    NegativeRate = "E0640", "a reaction at a negative rate";
    UnsuitedMethod = "E0641", "a method that is not for the noise of the model";
    NotCounted = "E0642", "reactions that cannot be simulated one by one";
    NotWhole = "E0643", "a number of molecules that is not whole, or negative";
    RunsFailed = "E0650", "runs of a sweep that failed";
    CannotFit = "E0660", "a fit that cannot be begun";
    NotConverged = "W0660", "a fit that has not converged";
    Undetermined = "W0661", "parameters that the data do not determine";
    OnBound = "W0662", "a parameter on its bound";
    PoorChains = "W0663", "chains that have not mixed";

    // 07: sentences and options (session/)
    UnknownOption = "E0701", "an option that this sentence does not have";
    BadOption = "E0702", "an option with a value that does not fit";
    MissingArgument = "E0703", "a sentence that lacks something";
    NothingYet = "E0704", "a result that has not been computed yet";
    NoModel = "E0705", "no model is loaded";

    // 09: in the language, but not performed by this version
    NotPerformed = "E0901", "a sentence that this version does not perform";
    NotModelled = "E0902", "a declaration that this version does not model";

    // warnings
    UnusedParameter = "W0201", "a parameter that nothing uses";
    UnusedHistory = "W0202", "a history that no delay reaches";
    IdleAllowance = "W0203", "a warning is allowed that is not given";
    NotReached = "W0601", "a steady state that the system does not go to";
    KinkHere = "W0602", "a state at which the equations have a kink";
    NoiseLeftOut = "W0610", "an answer that leaves the noise out";
    UnstableStep = "W0611", "a step too long for an explicit method";
    BetweenSteps = "W0612", "crossings that a path with noise makes between steps";
    StartsEarlier = "W0701", "a run that does not start where its range does";
    SessionIncomplete = "W0702", "a saved session that would not run where it is";
    OtherValues = "W0703", "a run made with other values than hold now";
}
