//! Names of images: an image that an upgrade may go back to must keep one.

use super::{Engine, call};
use crate::{error::Error, plan::recipe::LABEL_RECIPE};
use bollard::query_parameters::{
    ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use std::collections::HashMap;

impl Engine {
    /// Gives `image` (a name or an id) the name `tag` as well.
    pub async fn tag_image(&self, image: &str, tag: &str) -> Result<(), Error> {
        let (repo, name) = tag.split_once(':').unwrap_or((tag, "latest"));
        let options = TagImageOptionsBuilder::default().repo(repo).tag(name).build();
        call(&format!("tag image {image}"), self.docker.tag_image(image, Some(options))).await
    }

    /// Names and ids of all images that mailctl has built.
    pub async fn image_tags(&self) -> Result<Vec<(String, String)>, Error> {
        let filters: HashMap<String, Vec<String>> =
            [("label".to_owned(), vec![LABEL_RECIPE.to_owned()])].into();
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = call("list images", self.docker.list_images(Some(options))).await?;
        Ok(images
            .into_iter()
            .flat_map(|image| image.repo_tags.into_iter().map(move |tag| (tag, image.id.clone())))
            .collect())
    }

    /// Takes a name away; the image goes with its last name, unless a container uses it.
    pub async fn untag_image(&self, tag: &str) -> Result<(), Error> {
        let options = RemoveImageOptionsBuilder::default().build();
        call(&format!("remove image {tag}"), self.docker.remove_image(tag, Some(options), None))
            .await
            .map(|_| ())
    }
}
